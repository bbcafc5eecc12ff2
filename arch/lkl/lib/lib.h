/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the files of arch/lkl/lib.
 */
#ifndef _LKL_LIB_PRIVATE_H
#define _LKL_LIB_PRIVATE_H

#include <linux/types.h>

/* From how many bytes on "rep movsb" and "rep stosb" beat a loop of vector
 * moves.  ~0: never.
 */
extern unsigned long lkl_movs_min, lkl_stos_min;

/* Factors of the blocks' first and last 64 bits; crc-fold.S has the layout as well. */
struct lkl_crc_fold {
	struct {
		u64 first, last;
	} by[5];				/* by 128, 256, 512, 1024, 2048 bits */
	u64 remainder, quotient;		/* of x^95 by P */
	u64 polynomial;				/* P - x^32, times x^31 */
};

/* n is a multiple of the vector's size, and at least four of them. */
u32 lkl_crc_fold_32(u32 crc, const unsigned char *p, size_t n, const struct lkl_crc_fold *k);
u32 lkl_crc_fold_64(u32 crc, const unsigned char *p, size_t n, const struct lkl_crc_fold *k);

/* arch/x86/crypto/crc32-pclmul_asm.S: whole vectors, 64 bytes or more, aligned. */
u32 crc32_pclmul_le_16(const unsigned char *buffer, size_t len, u32 crc);

/* arch/x86/crypto/crc32c-pcl-intel-asm_64.S: any bytes. */
unsigned int crc_pcl(const u8 *buffer, unsigned int len, unsigned int crc);

#endif
