/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_LKL_BPF_PERF_EVENT_H
#define _UAPI_ASM_LKL_BPF_PERF_EVENT_H

#include <asm/ptrace.h>

typedef struct user_regs_struct bpf_user_pt_regs_t;

#endif
