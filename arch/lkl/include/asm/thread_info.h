/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_THREAD_INFO_H
#define _ASM_LKL_THREAD_INFO_H

#include <linux/bits.h>
#include <lkl/vcpu.h>

#define THREAD_SIZE		LKL_STACK_SIZE
#define THREAD_SIZE_ORDER	(LKL_STACK_SHIFT - 12)

#ifndef __ASSEMBLY__

struct thread_info {
	unsigned long flags;
	unsigned long syscall_work;
	int preempt_count;
	unsigned int cpu;
};

#define INIT_THREAD_INFO(tsk)			\
{						\
	.flags		= 0,			\
	.preempt_count	= INIT_PREEMPT_COUNT,	\
}

#endif /* __ASSEMBLY__ */

#define TIF_NEED_RESCHED	0
#define TIF_SIGPENDING		1
#define TIF_NOTIFY_SIGNAL	2
#define TIF_NOTIFY_RESUME	3
#define TIF_MEMDIE		4
#define TIF_RESTORE_SIGMASK	5
#define TIF_POLLING_NRFLAG	6
/* Named by generic code; nothing traces system calls here. */
#define TIF_SYSCALL_TRACE	8
#define TIF_SYSCALL_TRACEPOINT	9
#define TIF_SYSCALL_AUDIT	10
#define TIF_SECCOMP		11

#define _TIF_NEED_RESCHED	BIT(TIF_NEED_RESCHED)
#define _TIF_SIGPENDING		BIT(TIF_SIGPENDING)
#define _TIF_NOTIFY_SIGNAL	BIT(TIF_NOTIFY_SIGNAL)
#define _TIF_NOTIFY_RESUME	BIT(TIF_NOTIFY_RESUME)

/* Looked at on the way out of a system call. */
#define _TIF_EXIT_WORK		(_TIF_NEED_RESCHED | _TIF_SIGPENDING | \
				 _TIF_NOTIFY_SIGNAL | _TIF_NOTIFY_RESUME)

#endif
