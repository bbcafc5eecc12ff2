// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the comparisons after all drivers are up, and ends the boot if one of
 * them fails: a kernel that computes wrongly must not touch data.
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/printk.h>

#include "selftest.h"

/* More lines than this say nothing new. */
#define MAX_REPORTS	30

static struct rnd_state random __initdata;
static unsigned int implementations __initdata, checks __initdata, failures __initdata;

void __init selftest_check(bool same, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	checks++;
	if (likely(same) || failures++ >= MAX_REPORTS)
		return;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_err("lkl selftest: differs: %pV\n", &vaf);
	va_end(args);
}

void __init selftest_count(void)
{
	implementations++;
}

u32 __init selftest_below(u32 limit)
{
	return prandom_u32_state(&random) % limit;
}

void __init selftest_fill(void *to, size_t n)
{
	prandom_bytes_state(&random, to, n);
}

static int __init selftest(void)
{
	ktime_t start = ktime_get();

	prandom_seed_state(&random, 1);
	selftest_memory();
	selftest_sums();
	selftest_raid();
	selftest_hashes();
	selftest_ciphers();
	selftest_library();

	if (failures)
		panic("lkl selftest: %u of %u comparisons differ", failures, checks);
	pr_info("lkl selftest: %u implementations, %u comparisons, 0 differ, %lld ms\n",
		implementations, checks, ktime_ms_delta(ktime_get(), start));
	return 0;
}
late_initcall_sync(selftest);
