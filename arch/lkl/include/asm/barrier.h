/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_BARRIER_H
#define _ASM_LKL_BARRIER_H

/*
 * x86's total store order: only a store followed by a load of another word
 * needs an instruction.  Application threads run beside the kernel even on one
 * virtual CPU and share memory with it (rings, futex words), so the full
 * barrier is a real one; the others order the compiler.
 */
#define mb()		asm volatile("lock; addl $0,-4(%%rsp)" ::: "memory", "cc")
#define rmb()		barrier()
#define wmb()		barrier()

#define __smp_mb()	mb()
#define __smp_rmb()	barrier()
#define __smp_wmb()	barrier()

#define __smp_store_release(p, v)		\
do {						\
	compiletime_assert_atomic_type(*(p));	\
	barrier();				\
	WRITE_ONCE(*(p), v);			\
} while (0)

#define __smp_load_acquire(p)			\
({						\
	typeof(*(p)) ___p1 = READ_ONCE(*(p));	\
	compiletime_assert_atomic_type(*(p));	\
	barrier();				\
	___p1;					\
})

#define __smp_mb__before_atomic()	barrier()
#define __smp_mb__after_atomic()	barrier()

#include <asm-generic/barrier.h>

#endif
