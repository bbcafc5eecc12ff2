/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_LKL_PTRACE_H
#define _UAPI_ASM_LKL_PTRACE_H

#include <linux/types.h>

/* What an application thread asked of the kernel; there are no other registers. */
struct user_regs_struct {
	__u64 nr;
	__u64 args[6];
	__u64 ret;
};

#endif
