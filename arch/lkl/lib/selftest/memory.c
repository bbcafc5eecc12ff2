// SPDX-License-Identifier: GPL-2.0
/*
 * memcpy(), memmove(), memset(), lkl_copy_user(), clear_page(), copy_page(): all
 * lengths up to 300, some around each threshold, all alignments.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/lkl_lib.h>
#include <asm/page.h>

#include "selftest.h"

#define SHORT_LENGTHS	301
#define GUARD		64
#define AREA		(4 * PAGE_SIZE)

static const u16 long_lengths[] __initconst = {
	511, 512, 513, 777, 1000, 1023, 1024, 1025, 1535, 1536, 1537, 2047, 2048,
	2049, 3000, 4095, 4096, 4097, 5000,
};

static u8 *source __initdata, *got __initdata, *want __initdata;

/* Bytes, through volatile: the compiler sees nothing to improve. */
static void __init ref_copy(u8 *to, const u8 *from, size_t n)
{
	volatile u8 *d = to;
	size_t i;

	if (to <= from)
		for (i = 0; i < n; i++)
			d[i] = from[i];
	else
		for (i = n; i--;)
			d[i] = from[i];
}

static void __init ref_fill(u8 *to, u8 c, size_t n)
{
	volatile u8 *d = to;

	while (n--)
		*d++ = c;
}

static bool __init ref_same(u8 *a, const u8 *b, size_t n)
{
	selftest_damage(a, n);
	for (; n; n--)
		if (*a++ != *b++)
			return false;
	return true;
}

/* One length and alignment, with what stands before and behind. */
static void __init check_copy(size_t n, unsigned int to, unsigned int from)
{
	size_t area = n + 2 * GUARD + to;
	u8 *dst = got + GUARD + to;
	void *ret;

	ref_fill(want, 0x55, area);
	ref_copy(want + GUARD + to, source + from, n);

	ref_fill(got, 0x55, area);
	ret = memcpy(dst, source + from, n);
	selftest_check(ret == dst && ref_same(got, want, area),
		       "memcpy of %zu bytes, +%u to +%u", n, from, to);

	ref_fill(got, 0x55, area);
	selftest_check(!lkl_copy_user(dst, source + from, n) && ref_same(got, want, area),
		       "lkl_copy_user of %zu bytes, +%u to +%u", n, from, to);

	if (from)
		return;
	ref_fill(want + GUARD + to, n + 0x80, n);
	ref_fill(got, 0x55, area);
	ret = memset(dst, n + 0x80, n);
	selftest_check(ret == dst && ref_same(got, want, area),
		       "memset of %zu bytes to +%u", n, to);
}

static void __init check_move(size_t n, unsigned int offset, int distance)
{
	size_t middle = AREA / 2 - PAGE_SIZE + offset;
	u8 *dst = got + middle + distance;
	void *ret;

	ref_copy(want, source, AREA);
	ref_copy(want + middle + distance, want + middle, n);
	ref_copy(got, source, AREA);
	ret = memmove(dst, got + middle, n);
	selftest_check(ret == dst && ref_same(got, want, AREA),
		       "memmove of %zu bytes by %d from +%u", n, distance, offset);
}

static void __init check_moves(size_t n)
{
	static const u16 distances[] __initconst = {
		1, 7, 8, 15, 16, 17, 32, 63, 64, 65, 100, 127, 129, 255, 500, 1000,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(distances); i++) {
		check_move(n, n % 17, distances[i]);
		check_move(n, n % 17, -distances[i]);
	}
	check_move(n, n % 13, n);
	check_move(n, n % 13, n / 2);
	check_move(n, n % 13, -(int)min_t(size_t, n, PAGE_SIZE));
}

static void __init check_pages(void)
{
	ref_fill(got, 0x55, 3 * PAGE_SIZE);
	ref_fill(want, 0x55, 3 * PAGE_SIZE);
	copy_page(got + PAGE_SIZE, source);
	ref_copy(want + PAGE_SIZE, source, PAGE_SIZE);
	selftest_check(ref_same(got, want, 3 * PAGE_SIZE), "copy_page");
	clear_page(got + PAGE_SIZE);
	ref_fill(want + PAGE_SIZE, 0, PAGE_SIZE);
	selftest_check(ref_same(got, want, 3 * PAGE_SIZE), "clear_page");
}

void __init selftest_memory(void)
{
	unsigned int order = get_order(AREA), to, from;
	size_t n;
	int i;

	source = (u8 *)__get_free_pages(GFP_KERNEL, order);
	got = (u8 *)__get_free_pages(GFP_KERNEL, order);
	want = (u8 *)__get_free_pages(GFP_KERNEL, order);
	if (!source || !got || !want) {
		selftest_check(false, "no memory");
		goto out;
	}
	selftest_fill(source, AREA);

	for (n = 0; n < SHORT_LENGTHS; n++) {
		for (to = 0; to < 17; to++)
			for (from = 0; from < 17; from += 4)
				check_copy(n, to, from);
		if (n < 20 || n % 9 == 0)
			check_moves(n);
	}
	for (i = 0; i < ARRAY_SIZE(long_lengths); i++) {
		for (to = 0; to < 17; to += 5)
			for (from = 0; from < 17; from += 8)
				check_copy(long_lengths[i], to, from);
		check_moves(long_lengths[i]);
	}
	check_pages();
	for (i = 0; i < 6; i++)
		selftest_count();
out:
	free_pages((unsigned long)source, order);
	free_pages((unsigned long)got, order);
	free_pages((unsigned long)want, order);
}
