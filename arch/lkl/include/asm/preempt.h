/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_PREEMPT_H
#define _ASM_LKL_PREEMPT_H

#include <asm/vcpu.h>
#include <linux/thread_info.h>

/* Code that may run for long asks now and then whether another task wants the
 * CPU, be it by cond_resched() or, in a loop that looks for work, by
 * need_resched().  Only an interrupt brings the answer, so look for it first.
 */
#define tif_need_resched()	(lkl_irq_poll(), tif_need_resched())

#include <asm-generic/preempt.h>

#endif
