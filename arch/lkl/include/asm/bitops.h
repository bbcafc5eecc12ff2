/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_BITOPS_H
#define _ASM_LKL_BITOPS_H

#ifndef _LINUX_BITOPS_H
#error only <linux/bitops.h> can be included directly
#endif

#include <linux/compiler.h>
#include <asm/barrier.h>
#include <asm/cmpxchg.h>

/* Bit operations as single instructions, see asm/cmpxchg.h for the prefix. */

#define LKL_BIT_OP(name, insn)						\
static __always_inline void						\
arch_##name(unsigned long nr, volatile unsigned long *addr)		\
{									\
	asm volatile(LKL_LOCK insn " %1,%0"				\
		     : "+m" (*(volatile long *)(addr + nr / BITS_PER_LONG)) \
		     : "Jr" (nr % BITS_PER_LONG) : "memory", "cc");	\
}

#define LKL_BIT_TEST_OP(name, insn)					\
static __always_inline bool						\
arch_##name(unsigned long nr, volatile unsigned long *addr)		\
{									\
	bool old;							\
									\
	asm volatile(LKL_LOCK insn " %2,%0"				\
		     : "+m" (*(volatile long *)(addr + nr / BITS_PER_LONG)), \
		       "=@ccc" (old)					\
		     : "Jr" (nr % BITS_PER_LONG) : "memory");		\
	return old;							\
}

LKL_BIT_OP(set_bit, "btsq")
LKL_BIT_OP(clear_bit, "btrq")
LKL_BIT_OP(change_bit, "btcq")
LKL_BIT_TEST_OP(test_and_set_bit, "btsq")
LKL_BIT_TEST_OP(test_and_clear_bit, "btrq")
LKL_BIT_TEST_OP(test_and_change_bit, "btcq")

#undef LKL_BIT_OP
#undef LKL_BIT_TEST_OP

#include <asm-generic/bitops/generic-non-atomic.h>

#define arch___set_bit			generic___set_bit
#define arch___clear_bit		generic___clear_bit
#define arch___change_bit		generic___change_bit
#define arch___test_and_set_bit		generic___test_and_set_bit
#define arch___test_and_clear_bit	generic___test_and_clear_bit
#define arch___test_and_change_bit	generic___test_and_change_bit
#define arch_test_bit			generic_test_bit
#define arch_test_bit_acquire		generic_test_bit_acquire

#include <asm-generic/bitops/non-instrumented-non-atomic.h>
#include <asm-generic/bitops/instrumented-atomic.h>

static __always_inline void
arch_clear_bit_unlock(unsigned long nr, volatile unsigned long *addr)
{
	barrier();
	arch_clear_bit(nr, addr);
}

static __always_inline void
arch___clear_bit_unlock(unsigned long nr, volatile unsigned long *addr)
{
	barrier();
	generic___clear_bit(nr, addr);
}

static __always_inline bool
arch_test_and_set_bit_lock(unsigned long nr, volatile unsigned long *addr)
{
	return arch_test_and_set_bit(nr, addr);
}

#define arch_xor_unlock_is_negative_byte arch_xor_unlock_is_negative_byte
static __always_inline bool
arch_xor_unlock_is_negative_byte(unsigned long mask, volatile unsigned long *addr)
{
	bool negative;

	asm volatile(LKL_LOCK "xorb %2,%1"
		     : "=@ccs" (negative), "+m" (*(volatile char *)addr)
		     : "iq" ((char)mask) : "memory");
	return negative;
}

#include <asm-generic/bitops/instrumented-lock.h>

#include <asm-generic/bitops/builtin-__ffs.h>
#include <asm-generic/bitops/builtin-ffs.h>
#include <asm-generic/bitops/builtin-__fls.h>
#include <asm-generic/bitops/builtin-fls.h>
#include <asm-generic/bitops/ffz.h>
#include <asm-generic/bitops/fls64.h>
#include <asm-generic/bitops/sched.h>
#include <asm-generic/bitops/hweight.h>
#include <asm-generic/bitops/le.h>
#include <asm-generic/bitops/ext2-atomic-setbit.h>

#endif
