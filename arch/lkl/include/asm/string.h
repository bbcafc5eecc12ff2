/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_STRING_H
#define _ASM_LKL_STRING_H

/* See arch/lkl/lib/mem.c. */
#define __HAVE_ARCH_MEMCPY
void *memcpy(void *to, const void *from, size_t n);

#define __HAVE_ARCH_MEMMOVE
void *memmove(void *to, const void *from, size_t n);

#define __HAVE_ARCH_MEMSET
void *memset(void *to, int c, size_t n);

#endif
