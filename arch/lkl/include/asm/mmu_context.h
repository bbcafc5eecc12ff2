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

#include <asm-generic/mmu_context.h>

#endif
