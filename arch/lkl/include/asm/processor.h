/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_PROCESSOR_H
#define _ASM_LKL_PROCESSOR_H

#include <asm/ptrace.h>
#include <asm/vcpu.h>

/*
 * Application threads pass pointers into their own process: user addresses are
 * all that the host gives out.  mmap() places its areas in a window of it that
 * the host reserved, see arch_get_unmapped_area().
 */
#define TASK_SIZE		0x7ffffffff000UL
#define TASK_SIZE_MAX		TASK_SIZE
#define STACK_TOP		TASK_SIZE
#define STACK_TOP_MAX		TASK_SIZE
#define TASK_UNMAPPED_BASE	lkl_user_start

extern unsigned long lkl_user_start, lkl_user_end;

struct thread_struct {
	unsigned long sp;		/* of the suspended fiber */
	struct lkl_thread *host;	/* home; 0 for kernel threads and init */
	struct pt_regs regs;		/* the system call under way */
};

#define INIT_THREAD { }

struct task_struct;

#define task_pt_regs(task)	(&(task)->thread.regs)
#define KSTK_EIP(task)		(task_pt_regs(task)->ip)
#define KSTK_ESP(task)		(task_pt_regs(task)->sp)

unsigned long __get_wchan(struct task_struct *task);
void start_thread(struct pt_regs *regs, unsigned long pc, unsigned long sp);

static __always_inline void cpu_relax(void)
{
	asm volatile("pause" : : : "memory");
	lkl_irq_poll();
}

static __always_inline void prefetch(const void *x)
{
	__builtin_prefetch(x, 0, 3);
}

static __always_inline void prefetchw(const void *x)
{
	__builtin_prefetch(x, 1, 3);
}

#define ARCH_HAS_PREFETCH
#define ARCH_HAS_PREFETCHW

static inline void flush_thread(void)
{
}

#endif
