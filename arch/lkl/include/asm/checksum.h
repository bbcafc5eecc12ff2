/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_CHECKSUM_H
#define _ASM_LKL_CHECKSUM_H

#include <linux/compiler.h>
#include <linux/types.h>

/* Sum of 16-bit words, folded to 16 bits; see arch/lkl/lib/csum.c. */
unsigned int do_csum(const unsigned char *buff, int len);
#define do_csum do_csum

/* One's complement sum of an IP header of ihl >= 5 words of 32 bits.  A sum of
 * at most 15 of them cannot overflow 64 bits.
 */
static inline __sum16 ip_fast_csum(const void *iph, unsigned int ihl)
{
	const u32 *word = iph;
	u64 sum = 0;

	do {
		sum += *word++;
	} while (--ihl);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__force __sum16)~sum;
}

#define ip_fast_csum ip_fast_csum

#include <asm-generic/checksum.h>

#endif
