// SPDX-License-Identifier: GPL-2.0
/*
 * The library functions crc32_le() and __crc32c_le(), which the kernel defines
 * weakly; its own versions stay at hand as *_base.  The crypto API's "crc32" and
 * "crc32c" call them, see crc32-api.c.
 */
#include <linux/cache.h>
#include <linux/crc32.h>
#include <linux/crc32poly.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <asm/cpufeature.h>
#include <asm/cpu_device_id.h>

#include "lib.h"

#define VEC		16
#define CRC32_MIN	64

/* From here on three interleaved streams win over one (x86's own figure, less
 * what it counts for saving the registers).
 */
#define CRC32C_PCL_MIN	256

/* crc_pcl() takes an unsigned int. */
#define CRC32C_PCL_MAX	0x40000000U

/* Four vectors of the largest size, and about where folding begins to pay. */
#define FOLD_MIN	256

typedef u32 (*crc_fold_fn)(u32 crc, const unsigned char *p, size_t n,
			   const struct lkl_crc_fold *factors);

/* Folds whole vectors of fold_vector bytes; null where the CPU has only those of 16. */
static crc_fold_fn fold __ro_after_init;
static unsigned int fold_vector __ro_after_init;

static struct lkl_crc_fold crc32_factors __ro_after_init, crc32c_factors __ro_after_init;

/*
 * Folds what is whole vectors, if there is enough and the CPU can.  Returns how
 * many bytes that were.
 */
static __always_inline size_t fold_vectors(u32 *crc, const unsigned char *p, size_t len,
					   const struct lkl_crc_fold *factors)
{
	size_t n;

	if (len < FOLD_MIN || !fold)
		return 0;
	n = len & -(size_t)fold_vector;
	*crc = fold(*crc, p, n, factors);
	return n;
}

u32 __pure crc32_le(u32 crc, const unsigned char *p, size_t len)
{
	size_t head, body;

	body = fold_vectors(&crc, p, len, &crc32_factors);
	p += body;
	len -= body;
	if (len < CRC32_MIN + VEC || !boot_cpu_has(X86_FEATURE_PCLMULQDQ))
		return crc32_le_base(crc, p, len);

	head = -(unsigned long)p % VEC;
	if (head) {
		crc = crc32_le_base(crc, p, head);
		p += head;
		len -= head;
	}
	body = len & ~(size_t)(VEC - 1);
	crc = crc32_pclmul_le_16(p, body, crc);
	if (len - body)
		crc = crc32_le_base(crc, p + body, len - body);
	return crc;
}

static u32 crc32c_short(u32 crc, const unsigned char *p, size_t len)
{
	u64 crc64 = crc;

	for (; len >= 8; len -= 8, p += 8)
		asm("crc32q %1, %0" : "+r" (crc64) : "rm" (*(const u64 *)p));
	crc = crc64;
	for (; len; len--, p++)
		asm("crc32b %1, %0" : "+r" (crc) : "qm" (*p));
	return crc;
}

u32 __pure __crc32c_le(u32 crc, const unsigned char *p, size_t len)
{
	size_t body;

	if (!boot_cpu_has(X86_FEATURE_XMM4_2))
		return __crc32c_le_base(crc, p, len);

	body = fold_vectors(&crc, p, len, &crc32c_factors);
	p += body;
	len -= body;
	if (boot_cpu_has(X86_FEATURE_PCLMULQDQ))
		while (len >= CRC32C_PCL_MIN) {
			unsigned int n = min_t(size_t, len, CRC32C_PCL_MAX);

			crc = crc_pcl(p, n, crc);
			p += n;
			len -= n;
		}
	return crc32c_short(crc, p, len);
}

/*
 * The factors of crc-fold.S, which explains them.  Step n has x^n mod P in
 * remainder, as 32 reflected bits (bit i stands for x^(31-i)), and the last 64 bits
 * of floor(x^n / P), reflected, in quotient.
 */
static void __init make_factors(struct lkl_crc_fold *factors, u32 polynomial)
{
	const unsigned int last = 128 << (ARRAY_SIZE(factors->by) - 1);
	u32 remainder = 0x80000000;
	u64 quotient = 0;
	unsigned int n, i;

	for (n = 0; n < last + 64; n++) {
		bool carry = remainder & 1;

		for (i = 0; i < ARRAY_SIZE(factors->by); i++) {
			if (n == (128 << i) + 64 - 1)
				factors->by[i].first = (u64)remainder << 32;
			if (n == (128 << i) - 1)
				factors->by[i].last = (u64)remainder << 32;
		}
		if (n == 95) {
			factors->remainder = (u64)remainder << 32;
			factors->quotient = quotient;
		}
		quotient = quotient >> 1 | (u64)carry << 63;
		remainder = remainder >> 1 ^ (carry ? polynomial : 0);
	}
	factors->polynomial = (u64)polynomial << 1;
}

/*
 * Intel's first generations with vectors of 64 bytes lower the clock of all when
 * one uses them: the same list, for the same reason, as AES has in x86's
 * aesni-intel_glue.c.
 */
static const struct x86_cpu_id slow_zmm[] __initconst = {
	X86_MATCH_VFM(INTEL_SKYLAKE_X,		0),
	X86_MATCH_VFM(INTEL_ICELAKE_X,		0),
	X86_MATCH_VFM(INTEL_ICELAKE_D,		0),
	X86_MATCH_VFM(INTEL_ICELAKE,		0),
	X86_MATCH_VFM(INTEL_ICELAKE_L,		0),
	X86_MATCH_VFM(INTEL_ICELAKE_NNPI,	0),
	X86_MATCH_VFM(INTEL_TIGERLAKE_L,	0),
	X86_MATCH_VFM(INTEL_TIGERLAKE,		0),
	{},
};

/* Whoever computes a checksum before this does it without folding. */
static int __init choose_fold(void)
{
	if (!IS_ENABLED(CONFIG_AS_VPCLMULQDQ) || !boot_cpu_has(X86_FEATURE_VPCLMULQDQ) ||
	    !boot_cpu_has(X86_FEATURE_AVX2))
		return 0;

	make_factors(&crc32_factors, CRC32_POLY_LE);
	make_factors(&crc32c_factors, CRC32C_POLY_LE);
	fold = lkl_crc_fold_32;
	fold_vector = 32;
	if (IS_ENABLED(CONFIG_AS_AVX512) && boot_cpu_has(X86_FEATURE_AVX512F) &&
	    !x86_match_cpu(slow_zmm)) {
		fold = lkl_crc_fold_64;
		fold_vector = 64;
	}
	return 0;
}
early_initcall(choose_fold);
