/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_CMPXCHG_H
#define _ASM_LKL_CMPXCHG_H

#include <linux/compiler.h>
#include <linux/types.h>

/*
 * One virtual CPU that nothing interrupts asynchronously needs no lock prefix:
 * whoever shares a word with the host's other threads uses real atomics
 * instead (lkl_vcpu, futex words).
 */
#ifdef CONFIG_SMP
#define LKL_LOCK	"lock; "
#else
#define LKL_LOCK	""
#endif

void __lkl_bad_size(void) __compiletime_error("bad operand size of an atomic");

#ifdef CONFIG_SMP
#define arch_xchg(ptr, v)						\
	((__typeof__(*(ptr)))__atomic_exchange_n(ptr, v, __ATOMIC_SEQ_CST))
#else
/* xchg with memory locks implicitly; two moves do here. */
#define arch_xchg(ptr, v)						\
({									\
	__typeof__(ptr) __p = (ptr);					\
	__typeof__(*(ptr)) __old = READ_ONCE(*__p);			\
	barrier();							\
	WRITE_ONCE(*__p, (v));						\
	barrier();							\
	__old;								\
})
#endif

#define __lkl_cmpxchg(lock, ptr, old, new)				\
({									\
	__typeof__(*(ptr)) __ret;					\
	__typeof__(*(ptr)) __old = (old);				\
	__typeof__(*(ptr)) __new = (new);				\
	switch (sizeof(*(ptr))) {					\
	case 1:								\
		asm volatile(lock "cmpxchgb %2,%1"			\
			     : "=a" (__ret), "+m" (*(volatile u8 *)(ptr)) \
			     : "q" (__new), "0" (__old) : "memory", "cc"); \
		break;							\
	case 2:								\
		asm volatile(lock "cmpxchgw %2,%1"			\
			     : "=a" (__ret), "+m" (*(volatile u16 *)(ptr)) \
			     : "r" (__new), "0" (__old) : "memory", "cc"); \
		break;							\
	case 4:								\
		asm volatile(lock "cmpxchgl %2,%1"			\
			     : "=a" (__ret), "+m" (*(volatile u32 *)(ptr)) \
			     : "r" (__new), "0" (__old) : "memory", "cc"); \
		break;							\
	case 8:								\
		asm volatile(lock "cmpxchgq %2,%1"			\
			     : "=a" (__ret), "+m" (*(volatile u64 *)(ptr)) \
			     : "r" (__new), "0" (__old) : "memory", "cc"); \
		break;							\
	default:							\
		__lkl_bad_size();					\
	}								\
	__ret;								\
})

#define arch_cmpxchg(ptr, old, new)	__lkl_cmpxchg(LKL_LOCK, ptr, old, new)
#define arch_cmpxchg_local(ptr, old, new) __lkl_cmpxchg("", ptr, old, new)
#define arch_cmpxchg64(ptr, old, new)	arch_cmpxchg(ptr, old, new)
#define arch_cmpxchg64_local(ptr, old, new) arch_cmpxchg_local(ptr, old, new)

#define __lkl_try_cmpxchg(lock, ptr, pold, new)				\
({									\
	bool __success;							\
	__typeof__(ptr) __oldp = (__typeof__(ptr))(pold);		\
	__typeof__(*(ptr)) __cur = *__oldp;				\
	__typeof__(*(ptr)) __nval = (new);				\
	switch (sizeof(*(ptr))) {					\
	case 1:								\
		asm volatile(lock "cmpxchgb %3,%1"			\
			     : "=@ccz" (__success),			\
			       "+m" (*(volatile u8 *)(ptr)), "+a" (__cur) \
			     : "q" (__nval) : "memory");		\
		break;							\
	case 2:								\
		asm volatile(lock "cmpxchgw %3,%1"			\
			     : "=@ccz" (__success),			\
			       "+m" (*(volatile u16 *)(ptr)), "+a" (__cur) \
			     : "r" (__nval) : "memory");		\
		break;							\
	case 4:								\
		asm volatile(lock "cmpxchgl %3,%1"			\
			     : "=@ccz" (__success),			\
			       "+m" (*(volatile u32 *)(ptr)), "+a" (__cur) \
			     : "r" (__nval) : "memory");		\
		break;							\
	case 8:								\
		asm volatile(lock "cmpxchgq %3,%1"			\
			     : "=@ccz" (__success),			\
			       "+m" (*(volatile u64 *)(ptr)), "+a" (__cur) \
			     : "r" (__nval) : "memory");		\
		break;							\
	default:							\
		__lkl_bad_size();					\
	}								\
	if (unlikely(!__success))					\
		*__oldp = __cur;					\
	likely(__success);						\
})

#define arch_try_cmpxchg(ptr, pold, new) __lkl_try_cmpxchg(LKL_LOCK, ptr, pold, new)
#define arch_try_cmpxchg64(ptr, pold, new) arch_try_cmpxchg(ptr, pold, new)
#define arch_try_cmpxchg_local(ptr, pold, new) __lkl_try_cmpxchg("", ptr, pold, new)

#endif
