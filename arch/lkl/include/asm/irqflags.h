/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts are never asynchronous.  Disabling them is a note to ourselves;
 * enabling them is the moment at which they are looked for.
 */
#ifndef _ASM_LKL_IRQFLAGS_H
#define _ASM_LKL_IRQFLAGS_H

#include <asm/vcpu.h>
#include <linux/compiler.h>

#define ARCH_IRQ_ENABLED	0
#define ARCH_IRQ_DISABLED	1

static __always_inline unsigned long arch_local_save_flags(void)
{
	return *(volatile unsigned int *)&lkl_vcpu.irq_disabled;
}

static __always_inline void arch_local_irq_disable(void)
{
	*(volatile unsigned int *)&lkl_vcpu.irq_disabled = ARCH_IRQ_DISABLED;
	barrier();
}

static __always_inline void arch_local_irq_enable(void)
{
	barrier();
	*(volatile unsigned int *)&lkl_vcpu.irq_disabled = ARCH_IRQ_ENABLED;
	if (lkl_irq_pending())
		lkl_irq_run();
}

static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	barrier();
	*(volatile unsigned int *)&lkl_vcpu.irq_disabled = flags;
	if (lkl_irq_pending() && flags == ARCH_IRQ_ENABLED)
		lkl_irq_run();
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = arch_local_save_flags();

	arch_local_irq_disable();
	return flags;
}

static __always_inline bool arch_irqs_disabled_flags(unsigned long flags)
{
	return flags == ARCH_IRQ_DISABLED;
}

static __always_inline bool arch_irqs_disabled(void)
{
	return arch_irqs_disabled_flags(arch_local_save_flags());
}

#endif
