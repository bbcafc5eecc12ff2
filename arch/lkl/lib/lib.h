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

/* arch/x86/crypto/crc32-pclmul_asm.S: whole vectors, 64 bytes or more, aligned. */
u32 crc32_pclmul_le_16(const unsigned char *buffer, size_t len, u32 crc);

/* arch/x86/crypto/crc32c-pcl-intel-asm_64.S: any bytes. */
unsigned int crc_pcl(const u8 *buffer, unsigned int len, unsigned int crc);

#endif
