/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included before each file of x86's that is built here: what x86's own
 * asm/linkage.h and asm/processor.h define and arch/lkl's do not.
 */
#ifndef _LKL_X86_H
#define _LKL_X86_H

#ifdef __ASSEMBLY__
#define RET	ret
#else
#include <linux/cache.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#endif

#endif
