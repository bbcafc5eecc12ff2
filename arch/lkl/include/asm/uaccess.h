/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User memory is memory of this process, reached by plain instructions.  Each
 * has an entry in the exception table: a program that opted in to the fault
 * handler of the host library gets -EFAULT for a bad pointer; the range check
 * is always made.
 */
#ifndef _ASM_LKL_UACCESS_H
#define _ASM_LKL_UACCESS_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/extable.h>
#include <asm/lkl_lib.h>
#include <asm/page.h>
#include <asm/processor.h>

/* The first page stays out, so that a null pointer is -EFAULT without help. */
#define __access_ok __access_ok
static __always_inline int __access_ok(const void __user *ptr, unsigned long size)
{
	unsigned long addr = (unsigned long)ptr;

	if (unlikely(size > TASK_SIZE_MAX - PAGE_SIZE))
		return 0;
	return addr - PAGE_SIZE <= TASK_SIZE_MAX - PAGE_SIZE - size || !size;
}

#include <asm-generic/access_ok.h>

#define __lkl_get_asm(insn, x, ptr, err, reg)				\
	asm volatile("1:	mov" insn " %2,%" reg "1\n"		\
		     "2:\n"						\
		     ".pushsection .text.fixup, \"ax\"\n"		\
		     "3:	movl %3,%0\n"				\
		     "	xorl %k1,%k1\n"					\
		     "	jmp 2b\n"					\
		     ".popsection\n"					\
		     _ASM_EXTABLE(1b, 3b)				\
		     : "+r" (err), "=&q" (x)				\
		     : "m" (*(ptr)), "i" (-EFAULT))

#define __lkl_put_asm(insn, x, ptr, err, reg)				\
	asm volatile("1:	mov" insn " %" reg "1,%2\n"		\
		     "2:\n"						\
		     ".pushsection .text.fixup, \"ax\"\n"		\
		     "3:	movl %3,%0\n"				\
		     "	jmp 2b\n"					\
		     ".popsection\n"					\
		     _ASM_EXTABLE(1b, 3b)				\
		     : "+r" (err)					\
		     : "qi" (x), "m" (*(ptr)), "i" (-EFAULT) : "memory")

void __lkl_bad_user_size(void) __compiletime_error("bad size of a user access");

#define __lkl_get(x, ptr, size, err)					\
do {									\
	switch (size) {							\
	case 1: {							\
		u8 __v;							\
		__lkl_get_asm("b", __v, (const u8 __force *)(ptr), err, "b"); \
		*(u8 *)(x) = __v;					\
		break;							\
	}								\
	case 2: {							\
		u16 __v;						\
		__lkl_get_asm("w", __v, (const u16 __force *)(ptr), err, "w"); \
		*(u16 *)(x) = __v;					\
		break;							\
	}								\
	case 4: {							\
		u32 __v;						\
		__lkl_get_asm("l", __v, (const u32 __force *)(ptr), err, "k"); \
		*(u32 *)(x) = __v;					\
		break;							\
	}								\
	case 8: {							\
		u64 __v;						\
		__lkl_get_asm("q", __v, (const u64 __force *)(ptr), err, ""); \
		*(u64 *)(x) = __v;					\
		break;							\
	}								\
	default:							\
		__lkl_bad_user_size();					\
	}								\
} while (0)

#define __lkl_put(x, ptr, size, err)					\
do {									\
	switch (size) {							\
	case 1:								\
		__lkl_put_asm("b", *(u8 *)(x), (u8 __force *)(ptr), err, "b"); \
		break;							\
	case 2:								\
		__lkl_put_asm("w", *(u16 *)(x), (u16 __force *)(ptr), err, "w"); \
		break;							\
	case 4:								\
		__lkl_put_asm("l", *(u32 *)(x), (u32 __force *)(ptr), err, "k"); \
		break;							\
	case 8: {							\
		u64 __v = *(u64 *)(x);					\
		asm volatile("" : "+r" (__v));				\
		__lkl_put_asm("q", __v, (u64 __force *)(ptr), err, "");	\
		break;							\
	}								\
	default:							\
		__lkl_bad_user_size();					\
	}								\
} while (0)

#define __get_user(x, ptr)						\
({									\
	const __typeof__(*(ptr)) __user *__gp = (ptr);			\
	__typeof__(x) *__gx = &(x);					\
	int __ge = 0;							\
	union {								\
		__typeof__(*(ptr)) v;					\
		char bytes[sizeof(*(ptr))];				\
	} __gu;								\
	__chk_user_ptr(__gp);						\
	__lkl_get(&__gu.bytes, __gp, sizeof(*__gp), __ge);		\
	*__gx = (__force __typeof__(x))(__gu.v);			\
	__ge;								\
})

#define get_user(x, ptr)						\
({									\
	const __typeof__(*(ptr)) __user *__up = (ptr);			\
	might_fault();							\
	access_ok(__up, sizeof(*__up)) ? __get_user(x, __up) :		\
		((x) = (__force __typeof__(x))0, -EFAULT);		\
})

#define __put_user(x, ptr)						\
({									\
	__typeof__(*(ptr)) __user *__pp = (ptr);			\
	__typeof__(*(ptr)) __pv = (__force __typeof__(*(ptr)))(x);	\
	int __pe = 0;							\
	__chk_user_ptr(__pp);						\
	__lkl_put(&__pv, __pp, sizeof(*__pp), __pe);			\
	__pe;								\
})

#define put_user(x, ptr)						\
({									\
	__typeof__(*(ptr)) __user *__up = (ptr);			\
	might_fault();							\
	access_ok(__up, sizeof(*__up)) ? __put_user(x, __up) : -EFAULT;	\
})

static __always_inline unsigned long
raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	return lkl_copy_user(to, (const void __force *)from, n);
}

static __always_inline unsigned long
raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	return lkl_copy_user((void __force *)to, from, n);
}

#define INLINE_COPY_FROM_USER
#define INLINE_COPY_TO_USER

static __always_inline unsigned long __clear_user(void __user *to, unsigned long n)
{
	asm volatile("1:	rep stosb\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+c" (n), "+D" (to) : "a" (0) : "memory");
	return n;
}

static __always_inline unsigned long clear_user(void __user *to, unsigned long n)
{
	might_fault();
	if (!access_ok(to, n))
		return n;
	return __clear_user(to, n);
}

/* Kernel memory that may be absent; the same instructions. */
#define __get_kernel_nofault(dst, src, type, label)			\
do {									\
	int __ke = 0;							\
	__lkl_get((type *)(dst), (type *)(src), sizeof(type), __ke);	\
	if (unlikely(__ke))						\
		goto label;						\
} while (0)

#define __put_kernel_nofault(dst, src, type, label)			\
do {									\
	int __ke = 0;							\
	__lkl_put((type *)(src), (type *)(dst), sizeof(type), __ke);	\
	if (unlikely(__ke))						\
		goto label;						\
} while (0)

__must_check long strncpy_from_user(char *dst, const char __user *src, long count);
__must_check long strnlen_user(const char __user *str, long n);

#endif
