// SPDX-License-Identifier: GPL-2.0
/*
 * Internet checksum.
 *
 * The one's complement sum does not depend on the width of the words that are
 * added, if carries come back in at the bottom: 32-bit words are added up in
 * 64-bit lanes, which an int's worth of bytes cannot overflow, and folded once
 * at the end.
 */
#include <linux/export.h>
#include <linux/types.h>
#include <asm/checksum.h>
#include <asm/cpufeature.h>

/* From how many bytes on the wider registers pay for being cleared again. */
#define CSUM_AVX2_MIN	256

typedef u32 u32_any __aligned(1) __attribute__((may_alias));
typedef u64 u64_any __aligned(1) __attribute__((may_alias));

static __always_inline unsigned int fold(u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Less than 64 bytes.  An odd byte at the end is the low one of its word. */
static __always_inline u64 sum_tail(const u8 *p, unsigned int len)
{
	u64 sum = 0, last = 0;

	for (; len >= 8; len -= 8, p += 8) {
		u64 word = *(const u64_any *)p;

		sum += (word & 0xffffffff) + (word >> 32);
	}
	if (len & 4) {
		sum += *(const u32_any *)p;
		p += 4;
	}
	if (len & 2) {
		last = p[0] | p[1] << 8;
		p += 2;
	}
	if (len & 1)
		sum += *p;
	return sum + last;
}

/* Blocks of 64 bytes with registers of the given width. */
#define DEFINE_SUM_BLOCKS(name, bits, attributes)				\
static attributes u64 name(const u8 *p, unsigned int blocks)			\
{										\
	typedef u64 vec __attribute__((vector_size((bits) / 8)));		\
	typedef u64 vec_any __attribute__((vector_size((bits) / 8),		\
					   aligned(1), may_alias));		\
	const unsigned int step = sizeof(vec);					\
	vec low = {}, high = {};						\
	u64 sum = 0;								\
	int i;									\
										\
	for (; blocks; blocks--, p += 64)					\
		for (i = 0; i < 64; i += 2 * step) {				\
			vec a = *(const vec_any *)(p + i);			\
			vec b = *(const vec_any *)(p + i + step);		\
										\
			low += (a & 0xffffffff) + (b & 0xffffffff);		\
			high += (a >> 32) + (b >> 32);				\
		}								\
	low += high;								\
	for (i = 0; i < step / 8; i++)						\
		sum += low[i];							\
	return sum;								\
}

DEFINE_SUM_BLOCKS(sum_blocks_sse2, 128, __attribute__((target("sse2"))))
DEFINE_SUM_BLOCKS(sum_blocks_avx2, 256, __attribute__((target("avx2"))))

unsigned int do_csum(const unsigned char *p, int len)
{
	u64 sum = 0;

	if (len <= 0)
		return 0;
	if (len >= CSUM_AVX2_MIN && boot_cpu_has(X86_FEATURE_AVX2))
		sum = sum_blocks_avx2(p, len / 64);
	else if (len >= 64)
		sum = sum_blocks_sse2(p, len / 64);
	return fold(sum + sum_tail(p + (len & ~63), len & 63));
}
EXPORT_SYMBOL(do_csum);
