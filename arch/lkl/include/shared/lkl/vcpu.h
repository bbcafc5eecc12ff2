/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The virtual CPU: the words that the kernel image and the host library share,
 * apart from the rest of the contract (lkl/contract.h), because nearly every file
 * of the kernel looks at them.
 */
#ifndef _LKL_VCPU_H
#define _LKL_VCPU_H

/* Kernel stacks: size and alignment in bytes.  A host signal handler may run
 * on one of them, so they are larger than the kernel itself would need.
 */
#define LKL_STACK_SHIFT		15
#define LKL_STACK_SIZE		(1 << LKL_STACK_SHIFT)

/* Number of interrupt lines of a vCPU; they are the bits of lkl_vcpu.pending.
 * The first ones belong to the port, the others to devices.
 */
#define LKL_IRQ_TIMER		0	/* the deadline given to timer_arm() passed */
#define LKL_IRQ_ENTRY		1	/* lkl_vcpu.entries is not empty */
#define LKL_IRQ_RESCHED		2	/* somebody runnable waits for a carrier */
#define LKL_IRQ_DEVICE_FIRST	8
#define LKL_NR_IRQS		64

/* lkl_vcpu.word: the vCPU's lock and its doorbell in one word, so that
 * "release unless something is pending" is a single compare-and-exchange.
 */
#define LKL_VCPU_HELD		1U	/* a carrier runs kernel code */
#define LKL_VCPU_PENDING	2U	/* lkl_vcpu.pending is not empty */

#ifndef __ASSEMBLY__

struct lkl_thread;

/*
 * One virtual CPU.  It lives in the image's data, so that kernel code reaches
 * it without an indirection; the host gets its address from lkl_kernel_ops.
 *
 * Ownership of each word:
 *   word, pending, entries   anybody, with atomic operations only
 *   all others               the carrier alone
 */
struct lkl_vcpu {
	unsigned int word;		/* LKL_VCPU_* */
	unsigned int irq_disabled;	/* kernel: local_irq_disable() state */
	unsigned long pending;		/* bit set of LKL_IRQ_* */
	struct lkl_thread *entries;	/* LIFO of threads that want to enter */

	struct lkl_thread *carrier;	/* whose host thread carries, see enter() */
	struct lkl_thread *done;	/* LIFO of threads whose request is complete and
					 * who have not been told
					 */
	unsigned int leaving;		/* kernel: the carrier's request is complete,
					 * others have one turn before it leaves
					 */
	struct lkl_thread *user;	/* its task is the scheduler's current and
					 * out of the kernel; 0: a fiber is suspended
					 */
	unsigned long host_sp;		/* carrier's host stack, while in the image */
	unsigned long fiber_sp;		/* suspended fiber, while out of the image */
} __attribute__((aligned(64)));

#endif /* __ASSEMBLY__ */
#endif /* _LKL_VCPU_H */
