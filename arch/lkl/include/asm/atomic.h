/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_ATOMIC_H
#define _ASM_LKL_ATOMIC_H

#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/cmpxchg.h>

/*
 * Single read-modify-write instructions, see asm/cmpxchg.h for the prefix.
 * What is not here, linux/atomic/atomic-arch-fallback.h derives.
 */

#define LKL_ATOMIC(name, type, itype, suffix)				\
static __always_inline itype arch_##name##_read(const type *v)		\
{									\
	return READ_ONCE((v)->counter);					\
}									\
static __always_inline void arch_##name##_set(type *v, itype i)		\
{									\
	WRITE_ONCE(v->counter, i);					\
}									\
LKL_ATOMIC_OP(name, add, type, itype, "add" suffix)			\
LKL_ATOMIC_OP(name, sub, type, itype, "sub" suffix)			\
LKL_ATOMIC_OP(name, and, type, itype, "and" suffix)			\
LKL_ATOMIC_OP(name, or, type, itype, "or" suffix)			\
LKL_ATOMIC_OP(name, xor, type, itype, "xor" suffix)			\
static __always_inline void arch_##name##_inc(type *v)			\
{									\
	asm volatile(LKL_LOCK "inc" suffix " %0" : "+m" (v->counter) :: "memory", "cc"); \
}									\
static __always_inline void arch_##name##_dec(type *v)			\
{									\
	asm volatile(LKL_LOCK "dec" suffix " %0" : "+m" (v->counter) :: "memory", "cc"); \
}									\
static __always_inline bool arch_##name##_dec_and_test(type *v)		\
{									\
	bool zero;							\
									\
	asm volatile(LKL_LOCK "dec" suffix " %0"			\
		     : "+m" (v->counter), "=@ccz" (zero) :: "memory");	\
	return zero;							\
}									\
static __always_inline bool arch_##name##_inc_and_test(type *v)		\
{									\
	bool zero;							\
									\
	asm volatile(LKL_LOCK "inc" suffix " %0"			\
		     : "+m" (v->counter), "=@ccz" (zero) :: "memory");	\
	return zero;							\
}									\
static __always_inline bool arch_##name##_sub_and_test(itype i, type *v) \
{									\
	bool zero;							\
									\
	asm volatile(LKL_LOCK "sub" suffix " %2,%0"			\
		     : "+m" (v->counter), "=@ccz" (zero) : "er" (i) : "memory"); \
	return zero;							\
}									\
static __always_inline bool arch_##name##_add_negative(itype i, type *v) \
{									\
	bool negative;							\
									\
	asm volatile(LKL_LOCK "add" suffix " %2,%0"			\
		     : "+m" (v->counter), "=@ccs" (negative) : "er" (i) : "memory"); \
	return negative;						\
}									\
static __always_inline itype arch_##name##_fetch_add(itype i, type *v)	\
{									\
	asm volatile(LKL_LOCK "xadd" suffix " %0,%1"			\
		     : "+r" (i), "+m" (v->counter) :: "memory", "cc");	\
	return i;							\
}									\
static __always_inline itype arch_##name##_add_return(itype i, type *v)	\
{									\
	return i + arch_##name##_fetch_add(i, v);			\
}									\
static __always_inline itype arch_##name##_sub_return(itype i, type *v)	\
{									\
	return arch_##name##_add_return(-i, v);				\
}									\
static __always_inline itype arch_##name##_fetch_sub(itype i, type *v)	\
{									\
	return arch_##name##_fetch_add(-i, v);				\
}									\
static __always_inline itype arch_##name##_cmpxchg(type *v, itype old, itype new) \
{									\
	return arch_cmpxchg(&v->counter, old, new);			\
}									\
static __always_inline bool arch_##name##_try_cmpxchg(type *v, itype *old, itype new) \
{									\
	return arch_try_cmpxchg(&v->counter, old, new);			\
}									\
static __always_inline itype arch_##name##_xchg(type *v, itype new)	\
{									\
	return arch_xchg(&v->counter, new);				\
}									\
LKL_ATOMIC_FETCH_OP(name, and, type, itype, &)				\
LKL_ATOMIC_FETCH_OP(name, or, type, itype, |)				\
LKL_ATOMIC_FETCH_OP(name, xor, type, itype, ^)

#define LKL_ATOMIC_OP(name, op, type, itype, insn)			\
static __always_inline void arch_##name##_##op(itype i, type *v)	\
{									\
	asm volatile(LKL_LOCK insn " %1,%0"				\
		     : "+m" (v->counter) : "er" (i) : "memory", "cc");	\
}

#define LKL_ATOMIC_FETCH_OP(name, op, type, itype, c_op)		\
static __always_inline itype arch_##name##_fetch_##op(itype i, type *v)	\
{									\
	itype old = arch_##name##_read(v);				\
									\
	do { } while (!arch_##name##_try_cmpxchg(v, &old, old c_op i));	\
	return old;							\
}

LKL_ATOMIC(atomic, atomic_t, int, "l")
LKL_ATOMIC(atomic64, atomic64_t, s64, "q")

#define arch_atomic_dec_and_test		arch_atomic_dec_and_test
#define arch_atomic_inc_and_test		arch_atomic_inc_and_test
#define arch_atomic_sub_and_test		arch_atomic_sub_and_test
#define arch_atomic_add_negative		arch_atomic_add_negative
#define arch_atomic_inc				arch_atomic_inc
#define arch_atomic_dec				arch_atomic_dec
#define arch_atomic_add_return			arch_atomic_add_return
#define arch_atomic_sub_return			arch_atomic_sub_return
#define arch_atomic_fetch_add			arch_atomic_fetch_add
#define arch_atomic_fetch_sub			arch_atomic_fetch_sub
#define arch_atomic_fetch_and			arch_atomic_fetch_and
#define arch_atomic_fetch_or			arch_atomic_fetch_or
#define arch_atomic_fetch_xor			arch_atomic_fetch_xor
#define arch_atomic_cmpxchg			arch_atomic_cmpxchg
#define arch_atomic_try_cmpxchg			arch_atomic_try_cmpxchg
#define arch_atomic_xchg			arch_atomic_xchg

#define ATOMIC64_INIT(i)	{ (i) }
#define arch_atomic64_dec_and_test		arch_atomic64_dec_and_test
#define arch_atomic64_inc_and_test		arch_atomic64_inc_and_test
#define arch_atomic64_sub_and_test		arch_atomic64_sub_and_test
#define arch_atomic64_add_negative		arch_atomic64_add_negative
#define arch_atomic64_inc			arch_atomic64_inc
#define arch_atomic64_dec			arch_atomic64_dec
#define arch_atomic64_add_return		arch_atomic64_add_return
#define arch_atomic64_sub_return		arch_atomic64_sub_return
#define arch_atomic64_fetch_add			arch_atomic64_fetch_add
#define arch_atomic64_fetch_sub			arch_atomic64_fetch_sub
#define arch_atomic64_fetch_and			arch_atomic64_fetch_and
#define arch_atomic64_fetch_or			arch_atomic64_fetch_or
#define arch_atomic64_fetch_xor			arch_atomic64_fetch_xor
#define arch_atomic64_cmpxchg			arch_atomic64_cmpxchg
#define arch_atomic64_try_cmpxchg		arch_atomic64_try_cmpxchg
#define arch_atomic64_xchg			arch_atomic64_xchg

#endif
