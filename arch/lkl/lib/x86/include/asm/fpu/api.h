/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vector registers belong to whoever runs.  The image is user-mode code that
 * is only left by function calls, and the calling convention lets any call
 * clobber all of them: there is nothing to save and no moment at which they
 * must not be used.
 */
#ifndef _ASM_LKL_X86_FPU_API_H
#define _ASM_LKL_X86_FPU_API_H

#include <linux/types.h>
#include <asm/cpufeature.h>

static __always_inline void kernel_fpu_begin(void)
{
}

/*
 * x86 restores the user's registers here, so its library code may leave the
 * upper halves dirty; for the SSE code that runs next that would cost a
 * dependency on the old value (Intel since Skylake) or a state switch (before)
 * in each instruction.
 */
static __always_inline void kernel_fpu_end(void)
{
	if (boot_cpu_has(X86_FEATURE_AVX))
		asm volatile("vzeroupper" : : : "memory");
}

static __always_inline bool irq_fpu_usable(void)
{
	return true;
}

#endif
