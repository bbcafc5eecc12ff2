// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts are polled.  A device or the clock sets a bit of lkl_vcpu.pending
 * from any host thread; the kernel looks at the word where interrupts are let
 * in again, in cpu_relax(), in need_resched() and cond_resched(), when idle, and
 * before the host gives the vCPU up.
 */
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/seq_file.h>
#include <asm/irq_regs.h>
#include <asm/lkl.h>

static void dispatch(unsigned long pending)
{
	if (pending & BIT(LKL_IRQ_TIMER))
		lkl_timer_interrupt();
	if (pending & BIT(LKL_IRQ_ENTRY))
		lkl_take_entries();
	/* LKL_IRQ_RESCHED only brought a carrier in. */

	pending &= ~(BIT(LKL_IRQ_DEVICE_FIRST) - 1);
	while (pending) {
		unsigned int irq = __ffs(pending);

		pending &= pending - 1;
		generic_handle_irq(irq);
	}
}

void lkl_irq_run(void)
{
	static struct pt_regs regs;
	struct pt_regs *old = set_irq_regs(&regs);

	do {
		lkl_vcpu.irq_disabled = ARCH_IRQ_DISABLED;
		trace_hardirqs_off();
		irq_enter();
		/*
		 * The doorbell first, the bits second.  A bit set in between
		 * rings again, for nothing at worst; the other way round a bit
		 * could stay set with the doorbell silent.
		 */
		__atomic_and_fetch(&lkl_vcpu.word, ~LKL_VCPU_PENDING, __ATOMIC_SEQ_CST);
		dispatch(__atomic_exchange_n(&lkl_vcpu.pending, 0, __ATOMIC_SEQ_CST));
		irq_exit();
		trace_hardirqs_on();
		lkl_vcpu.irq_disabled = ARCH_IRQ_ENABLED;
	} while (lkl_irq_pending());
	set_irq_regs(old);
}

static void noop(struct irq_data *data)
{
}

/* A line is a bit that is taken with an atomic exchange: nothing to mask. */
static struct irq_chip lkl_irq_chip = {
	.name		= "lkl",
	.irq_enable	= noop,
	.irq_disable	= noop,
	.irq_ack	= noop,
	.irq_mask	= noop,
	.irq_unmask	= noop,
};

void __init init_IRQ(void)
{
	unsigned int irq;

	for (irq = LKL_IRQ_DEVICE_FIRST; irq < NR_IRQS; irq++)
		irq_set_chip_and_handler(irq, &lkl_irq_chip, handle_simple_irq);
}
