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

#ifdef CONFIG_KASAN
/* Those names check their arguments (mm/kasan/shadow.c), these do not. */
void *__memcpy(void *to, const void *from, size_t n);
void *__memmove(void *to, const void *from, size_t n);
void *__memset(void *to, int c, size_t n);

#ifndef __SANITIZE_ADDRESS__
#define memcpy(to, from, n)	__memcpy(to, from, n)
#define memmove(to, from, n)	__memmove(to, from, n)
#define memset(to, c, n)	__memset(to, c, n)
#ifndef __NO_FORTIFY
#define __NO_FORTIFY
#endif
#endif
#endif

#endif
