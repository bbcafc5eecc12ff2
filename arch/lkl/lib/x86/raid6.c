// SPDX-License-Identifier: GPL-2.0
/*
 * Selection of the RAID-6 routines.
 *
 * lib/raid6/algos.c chooses from a table that has the vector routines of x86
 * only where CONFIG_X86 is set.  Its choice is in global variables; this picks
 * by CPU feature from the routines that are not in the table, and replaces it
 * before anybody uses it.
 */
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/raid/pq.h>

#include "raid6_gfni.h"

/* Best first.  The numbers are how many vectors one step handles. */
static const struct raid6_calls *const gen_algos[] __initconst = {
#if defined(CONFIG_AS_AVX512) && defined(CONFIG_AS_GFNI)
	&raid6_gfni,
#endif
#ifdef CONFIG_AS_AVX512
	&raid6_avx512x4, &raid6_avx512x2, &raid6_avx512x1,
#endif
	&raid6_avx2x4, &raid6_avx2x2, &raid6_avx2x1,
	&raid6_sse2x4, &raid6_sse2x2, &raid6_sse2x1,
};

static const struct raid6_recov_calls *const recov_algos[] __initconst = {
#ifdef CONFIG_AS_AVX512
	&raid6_recov_avx512,
#endif
	&raid6_recov_avx2, &raid6_recov_ssse3,
};

/*
 * raid6_select_algo() is a subsys_initcall, which this one follows; the users
 * (md, btrfs, dm-raid, async_tx) start as fs_initcall at the earliest.
 */
static int __init lkl_raid6_select(void)
{
	const char *gen = "generic", *recov = "generic";
	int i;

	for (i = 0; i < ARRAY_SIZE(gen_algos); i++) {
		if (gen_algos[i]->valid && !gen_algos[i]->valid())
			continue;
		raid6_call = *gen_algos[i];
		gen = raid6_call.name;
		break;
	}
	for (i = 0; i < ARRAY_SIZE(recov_algos); i++) {
		if (recov_algos[i]->valid && !recov_algos[i]->valid())
			continue;
		raid6_2data_recov = recov_algos[i]->data2;
		raid6_datap_recov = recov_algos[i]->datap;
		recov = recov_algos[i]->name;
		break;
	}
	pr_info("raid6: vector routines: %s, recovery %s\n", gen, recov);
	return 0;
}
subsys_initcall_sync(lkl_raid6_select);
