/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_HARDIRQ_H
#define _ASM_LKL_HARDIRQ_H

/* Interrupts are taken one after the other, with interrupts disabled. */
#define __ARCH_IRQ_EXIT_IRQS_DISABLED	1

#include <asm-generic/hardirq.h>

#endif
