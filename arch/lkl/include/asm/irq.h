/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_IRQ_H
#define _ASM_LKL_IRQ_H

#include <lkl/vcpu.h>

#define NR_IRQS		LKL_NR_IRQS

#include <asm-generic/irq.h>

#endif
