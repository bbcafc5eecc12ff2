/* SPDX-License-Identifier: GPL-2.0 */
#define __ARCH_WANT_NEW_STAT
#define __ARCH_WANT_SET_GET_RLIMIT
#define __ARCH_WANT_SYS_CLONE
#define __ARCH_WANT_MEMFD_SECRET

#include <uapi/asm/unistd.h>

#define NR_syscalls	(__NR_syscalls)
