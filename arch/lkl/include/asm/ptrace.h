/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_PTRACE_H
#define _ASM_LKL_PTRACE_H

#include <uapi/asm/ptrace.h>

#ifndef __ASSEMBLY__

#include <linux/errno.h>

struct pt_regs {
	struct user_regs_struct user;
	unsigned long ip, sp;
	int in_user;
};

#define user_mode(regs)			((regs)->in_user)
#define instruction_pointer(regs)	((regs)->ip)
#define user_stack_pointer(regs)	((regs)->sp)
#define kernel_stack_pointer(regs)	((regs)->sp)
#define profile_pc(regs)		instruction_pointer(regs)
#define current_pt_regs()		task_pt_regs(current)

static inline unsigned long regs_return_value(struct pt_regs *regs)
{
	return regs->user.ret;
}

static inline void instruction_pointer_set(struct pt_regs *regs, unsigned long ip)
{
	regs->ip = ip;
}

#endif
#endif
