// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the comparisons after all drivers are up, and ends the boot if one of
 * them fails: a kernel that computes wrongly must not touch data.
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/printk.h>

#include "selftest.h"

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

static int __init compare_all(void)
{
	struct selftest_result all = { };
	ktime_t start = ktime_get();
	int i;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		struct selftest_result group = selftest_run(groups[i].name, groups[i].run);

		all.implementations += group.implementations;
		all.comparisons += group.comparisons;
		all.failures += group.failures;
	}

	if (all.failures)
		panic("lkl selftest: %u of %u comparisons differ", all.failures, all.comparisons);
	pr_info("lkl selftest: %u implementations, %u comparisons, 0 differ, %lld ms\n",
		all.implementations, all.comparisons, ktime_ms_delta(ktime_get(), start));
	return 0;
}
late_initcall_sync(compare_all);
