/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_VCPU_H
#define _ASM_LKL_VCPU_H

#include <lkl/vcpu.h>

/* The one virtual CPU. */
extern struct lkl_vcpu lkl_vcpu;

/* Take the pending interrupts.  Interrupts are enabled. */
void lkl_irq_run(void);

/* Nobody but the carrier clears bits, so a plain look is enough here: a bit
 * that is set right after it is found at the next look, at the latest when the
 * host tries to release the vCPU (LKL_VCPU_PENDING in lkl_vcpu.word).
 */
static __always_inline bool lkl_irq_pending(void)
{
	return __builtin_expect(*(volatile unsigned long *)&lkl_vcpu.pending != 0, 0);
}

/* Look for interrupts where the kernel might run for long. */
static __always_inline void lkl_irq_poll(void)
{
	if (lkl_irq_pending() && !*(volatile unsigned int *)&lkl_vcpu.irq_disabled)
		lkl_irq_run();
}

#endif
