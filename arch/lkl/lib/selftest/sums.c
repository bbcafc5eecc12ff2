// SPDX-License-Identifier: GPL-2.0
/*
 * The library's checksums: the Internet checksum, crc32 and crc32c.
 */
#include <linux/crc32.h>
#include <linux/crc32c.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/checksum.h>

#include "selftest.h"

#define LENGTH	(3 * PAGE_SIZE)

/* RFC 1071, word by word. */
static u32 __init ref_csum(const u8 *p, int n)
{
	u32 sum = 0;

	for (; n > 1; n -= 2, p += 2) {
		sum += p[0] | p[1] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (n)
		sum += *p;
	return (sum & 0xffff) + (sum >> 16);
}

static bool __init same(u32 got, u32 want)
{
	return selftest_same(&got, &want, sizeof(got));
}

static void __init check_lengths(const u8 *data, int n)
{
	u32 seed = n * 0x9e3779b9;
	int offset;

	for (offset = 0; offset < 17; offset++) {
		const u8 *p = data + offset;

		selftest_check(same(do_csum(p, n), ref_csum(p, n)),
			       "do_csum of %d bytes at +%d", n, offset);
		selftest_check(same(crc32_le(seed, p, n), crc32_le_base(seed, p, n)),
			       "crc32_le of %d bytes at +%d", n, offset);
		selftest_check(same(__crc32c_le(seed, p, n), __crc32c_le_base(seed, p, n)),
			       "__crc32c_le of %d bytes at +%d", n, offset);
		selftest_check(same(crc32c(seed, p, n), __crc32c_le_base(seed, p, n)),
			       "crc32c of %d bytes at +%d", n, offset);
	}
}

static void __init check_ip_headers(const u8 *data)
{
	unsigned int words, offset;

	for (words = 5; words < 16; words++)
		for (offset = 0; offset < 200; offset++) {
			u16 want = ~ref_csum(data + offset, words * 4);

			selftest_check(same((__force u16)ip_fast_csum(data + offset, words), want),
				       "ip_fast_csum of %u words at +%u", words, offset);
		}
}

void __init selftest_sums(void)
{
	u8 *data = kmalloc(LENGTH + 64, GFP_KERNEL);
	int n;

	if (!data) {
		selftest_check(false, "no memory");
		return;
	}
	selftest_fill(data, LENGTH + 64);
	for (n = 0; n < 300; n++)
		check_lengths(data, n);
	for (n = 300; n <= LENGTH; n += 397)
		check_lengths(data, n);
	check_ip_headers(data);

	/* Carries everywhere. */
	memset(data, 0xff, LENGTH);
	for (n = 0; n <= LENGTH; n += 63)
		selftest_check(same(do_csum(data, n), ref_csum(data, n)),
			       "do_csum of %d bytes of 0xff", n);
	for (n = 0; n < 5; n++)
		selftest_count();
	kfree(data);
}
