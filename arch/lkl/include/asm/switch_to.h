/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_SWITCH_TO_H
#define _ASM_LKL_SWITCH_TO_H

#include <asm/lkl.h>

struct task_struct *__lkl_switch_to(struct task_struct *prev, struct task_struct *next);

#define switch_to(prev, next, last)			\
do {							\
	if (unlikely(lkl_vcpu.done))			\
		lkl_tell_done(next);			\
	if (unlikely(lkl_host.fiber_switch))		\
		lkl_announce_stack((next)->thread.sp);	\
	(last) = __lkl_switch_to(prev, next);		\
} while (0)

#endif
