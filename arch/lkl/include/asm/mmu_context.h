/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_MMU_CONTEXT_H
#define _ASM_LKL_MMU_CONTEXT_H

#include <asm/mm_hooks.h>
#include <linux/mm_types.h>

/* All address spaces lie side by side in the host process: none is switched. */
static inline void switch_mm(struct mm_struct *prev, struct mm_struct *next,
			     struct task_struct *task)
{
}

/*
 * Nothing handles a fault: what is mapped is there at once and stays, also what
 * the kernel maps by itself, as by vm_mmap().
 */
#define init_new_context init_new_context
static inline int init_new_context(struct task_struct *task, struct mm_struct *mm)
{
	mm->def_flags |= VM_LOCKED;
	return 0;
}

#include <asm-generic/mmu_context.h>

#endif
