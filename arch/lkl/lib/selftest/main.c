// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the comparisons after all drivers are up, and ends the boot if one of
 * them fails: a kernel that computes wrongly must not touch data.
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "selftest.h"

/* More lines than this say nothing new. */
#define MAX_REPORTS	30

struct group {
	const char *name;
	void (*run)(void);
};

static const struct group groups[] __initconst = {
	{ "memory", selftest_memory },
	{ "sums", selftest_sums },
	{ "raid", selftest_raid },
	{ "hashes", selftest_hashes },
	{ "ciphers", selftest_ciphers },
	{ "library", selftest_library },
};

/* lkl.selftest_damage=GROUP: one result of that group gets a wrong bit. */
static char *damaged_group __initdata;

/* How many results of the group are left alone before; 0: nothing is damaged. */
#define DAMAGE_AFTER	7
static unsigned int damage_countdown __initdata;

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

void __init selftest_damage(void *got, size_t n)
{
	if (n && damage_countdown && !--damage_countdown)
		((u8 *)got)[selftest_below(n)] ^= 1 << selftest_below(8);
}

bool __init selftest_same(void *got, const void *want, size_t n)
{
	selftest_damage(got, n);
	return !memcmp(got, want, n);
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

static int __init set_damage(char *value)
{
	damaged_group = value;
	return 0;
}
early_param("lkl.selftest_damage", set_damage);

static int __init compare_all(void)
{
	ktime_t start = ktime_get();
	int i;

	prandom_seed_state(&random, 1);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		bool damaged = damaged_group && !strcmp(damaged_group, groups[i].name);

		damage_countdown = damaged ? DAMAGE_AFTER + 1 : 0;
		groups[i].run();
	}

	if (failures)
		panic("lkl selftest: %u of %u comparisons differ", failures, checks);
	pr_info("lkl selftest: %u implementations, %u comparisons, 0 differ, %lld ms\n",
		implementations, checks, ktime_ms_delta(ktime_get(), start));
	return 0;
}
late_initcall_sync(compare_all);
