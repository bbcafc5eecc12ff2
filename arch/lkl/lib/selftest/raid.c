// SPDX-License-Identifier: GPL-2.0
/*
 * RAID-5's xor, RAID-6's syndromes and recovery.
 */
#include <linux/raid/pq.h>
#include <linux/raid/xor.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/xor.h>

#include "../x86/raid6_gfni.h"
#include "selftest.h"

#define DISKS	12		/* with P and Q */

static const struct raid6_calls *const gen_algos[] __initconst = {
	&raid6_intx1, &raid6_intx2, &raid6_intx4,
	&raid6_sse2x1, &raid6_sse2x2, &raid6_sse2x4,
	&raid6_avx2x1, &raid6_avx2x2, &raid6_avx2x4,
#ifdef CONFIG_AS_AVX512
	&raid6_avx512x1, &raid6_avx512x2, &raid6_avx512x4,
#endif
#if defined(CONFIG_AS_AVX512) && defined(CONFIG_AS_GFNI)
	&raid6_gfni,
#endif
};

static const struct raid6_recov_calls *const recov_algos[] __initconst = {
	&raid6_recov_intx1, &raid6_recov_ssse3, &raid6_recov_avx2,
#ifdef CONFIG_AS_AVX512
	&raid6_recov_avx512,
#endif
};

/* Two sets of pages: the reference's and the tested routine's. */
static void *want[DISKS] __initdata, *got[DISKS] __initdata;

static bool __init same_pages(int disks)
{
	int i;

	for (i = 0; i < disks; i++)
		if (!selftest_same(got[i], want[i], PAGE_SIZE))
			return false;
	return true;
}

static void __init fill_pages(int disks)
{
	int i;

	for (i = 0; i < disks; i++) {
		selftest_fill(want[i], PAGE_SIZE);
		memcpy(got[i], want[i], PAGE_SIZE);
	}
}

static void __init check_gen(const struct raid6_calls *algo, const char *name)
{
	int disks, start, stop;

	for (disks = 4; disks <= DISKS; disks++) {
		fill_pages(disks);
		raid6_intx1.gen_syndrome(disks, PAGE_SIZE, want);
		algo->gen_syndrome(disks, PAGE_SIZE, got);
		selftest_check(same_pages(disks), "raid6 %s syndrome of %d disks", name, disks);
		if (!algo->xor_syndrome)
			continue;
		for (start = 0; start < disks - 2; start++)
			for (stop = start; stop < disks - 2; stop++) {
				raid6_intx1.xor_syndrome(disks, start, stop, PAGE_SIZE, want);
				algo->xor_syndrome(disks, start, stop, PAGE_SIZE, got);
				selftest_check(same_pages(disks),
					       "raid6 %s update of disks %d to %d of %d",
					       name, start, stop, disks);
			}
	}
}

/* Loses pages of got[], recovers them, and compares with want[]. */
static void __init check_recov(const struct raid6_recov_calls *algo, const char *name)
{
	int a, b, i;

	fill_pages(DISKS);
	raid6_intx1.gen_syndrome(DISKS, PAGE_SIZE, want);
	for (i = DISKS - 2; i < DISKS; i++)
		memcpy(got[i], want[i], PAGE_SIZE);

	for (a = 0; a < DISKS - 2; a++) {
		for (b = a + 1; b < DISKS - 2; b++) {
			memset(got[a], 0xaa, PAGE_SIZE);
			memset(got[b], 0x55, PAGE_SIZE);
			algo->data2(DISKS, PAGE_SIZE, a, b, got);
			selftest_check(same_pages(DISKS), "raid6 %s recovery of disks %d and %d",
				       name, a, b);
		}
		memset(got[a], 0xaa, PAGE_SIZE);
		memset(got[DISKS - 2], 0x55, PAGE_SIZE);
		algo->datap(DISKS, PAGE_SIZE, a, got);
		selftest_check(same_pages(DISKS), "raid6 %s recovery of disk %d and P", name, a);
	}
}

static void __init check_xor(void)
{
	const struct xor_block_template *refs[] = { &xor_block_8regs, &xor_block_32regs };
	void *sources[4];
	int i, n, count;

	for (n = 512; n <= PAGE_SIZE; n += 512)
		for (count = 1; count <= 4; count++) {
			const struct xor_block_template *ref = refs[n / 512 % 2];

			fill_pages(5);
			for (i = 0; i < count; i++)
				sources[i] = got[1 + i];
			xor_blocks(count, n, got[0], sources);
			if (count == 1)
				ref->do_2(n, want[0], want[1]);
			else if (count == 2)
				ref->do_3(n, want[0], want[1], want[2]);
			else if (count == 3)
				ref->do_4(n, want[0], want[1], want[2], want[3]);
			else
				ref->do_5(n, want[0], want[1], want[2], want[3], want[4]);
			selftest_check(same_pages(5), "xor of %d blocks of %d bytes", count + 1, n);
		}
	selftest_count();
}

void __init selftest_raid(void)
{
	int i;

	for (i = 0; i < DISKS; i++) {
		want[i] = (void *)__get_free_page(GFP_KERNEL);
		got[i] = (void *)__get_free_page(GFP_KERNEL);
		if (!want[i] || !got[i]) {
			selftest_check(false, "no memory");
			goto out;
		}
	}
	check_xor();
	for (i = 0; i < ARRAY_SIZE(gen_algos); i++) {
		if (gen_algos[i]->valid && !gen_algos[i]->valid())
			continue;
		check_gen(gen_algos[i], gen_algos[i]->name);
		selftest_count();
	}
	for (i = 0; i < ARRAY_SIZE(recov_algos); i++) {
		if (recov_algos[i]->valid && !recov_algos[i]->valid())
			continue;
		check_recov(recov_algos[i], recov_algos[i]->name);
		selftest_count();
	}
	/* What was chosen is one of them, and not a generic one needlessly. */
	check_gen(&raid6_call, "chosen");
	selftest_check(!boot_cpu_has(X86_FEATURE_XMM2) || strncmp(raid6_call.name, "int", 3),
		       "raid6 chose %s on a CPU with vectors", raid6_call.name);
	selftest_check(!boot_cpu_has(X86_FEATURE_SSSE3) ||
		       raid6_2data_recov != raid6_recov_intx1.data2,
		       "raid6 chose generic recovery on a CPU with vectors");
out:
	for (i = 0; i < DISKS; i++) {
		free_page((unsigned long)want[i]);
		free_page((unsigned long)got[i]);
	}
}
