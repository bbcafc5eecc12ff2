/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_PREEMPT_H
#define _ASM_LKL_PREEMPT_H

#include <asm/vcpu.h>

/* cond_resched() asks should_resched(); interrupts are looked for there too. */
#define should_resched generic_should_resched
#include <asm-generic/preempt.h>
#undef should_resched

static __always_inline bool should_resched(int preempt_offset)
{
	lkl_irq_poll();
	return generic_should_resched(preempt_offset);
}

#endif
