/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_LKL_SIGCONTEXT_H
#define _UAPI_ASM_LKL_SIGCONTEXT_H

/*
 * A signal handler of an application thread is called like a function, when a
 * system call returns: there is no interrupted machine state to show.
 */
struct sigcontext {
	int __unused;
};

#endif
