/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_CURRENT_H
#define _ASM_LKL_CURRENT_H

#include <lkl/vcpu.h>

#ifndef __ASSEMBLY__

#include <linux/compiler.h>

struct task_struct;

/*
 * The upper end of every kernel stack: stacks are aligned to their size, so
 * these words are found from any stack pointer inside.
 */
struct lkl_stack_top {
	unsigned long frame;		/* carrier's host frame, for unwinders */
	unsigned long return_address;
	unsigned long reserved[5];
	struct task_struct *task;
};

register unsigned long current_stack_pointer asm("rsp");

static __always_inline struct lkl_stack_top *lkl_stack_top_of(unsigned long sp)
{
	return (struct lkl_stack_top *)((sp | (unsigned long)(LKL_STACK_SIZE - 1)) + 1) - 1;
}

static __always_inline struct task_struct *get_current(void)
{
	unsigned long sp;

	/* Not volatile and without a memory operand: the result is the same all
	 * through a function, since a function runs on one stack.
	 */
	asm("movq %%rsp, %0" : "=r" (sp));
	return lkl_stack_top_of(sp)->task;
}

#define current get_current()

#endif /* __ASSEMBLY__ */
#endif
