// SPDX-License-Identifier: GPL-2.0
/*
 * The library functions crc32_le() and __crc32c_le(), which lib/crc32.c defines
 * weakly; its own versions stay at hand as *_base.  The crypto API's "crc32" and
 * "crc32c" are x86's own, see x86/Makefile.
 */
#include <linux/crc32.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <asm/cpufeature.h>

#include "lib.h"

#define VEC		16
#define CRC32_MIN	64

/* From here on three interleaved streams win over one (x86's own figure, less
 * what it counts for saving the registers).
 */
#define CRC32C_PCL_MIN	256

/* crc_pcl() takes an unsigned int. */
#define CRC32C_PCL_MAX	0x40000000U

u32 __pure crc32_le(u32 crc, const unsigned char *p, size_t len)
{
	size_t head, body;

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
	if (!boot_cpu_has(X86_FEATURE_XMM4_2))
		return __crc32c_le_base(crc, p, len);

	if (boot_cpu_has(X86_FEATURE_PCLMULQDQ))
		while (len >= CRC32C_PCL_MIN) {
			unsigned int n = min_t(size_t, len, CRC32C_PCL_MAX);

			crc = crc_pcl(p, n, crc);
			p += n;
			len -= n;
		}
	return crc32c_short(crc, p, len);
}
