/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_STACKTRACE_H
#define _ASM_LKL_STACKTRACE_H

/* Room for lkl_call_on_stack()'s frame, see kernel/switch.S. */
struct stack_frame {
	struct stack_frame *next;
	unsigned long return_address;
};

#endif
