/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_SIMD_H
#define _ASM_LKL_SIMD_H

#include <linux/compiler_attributes.h>
#include <linux/types.h>

/* Nothing interrupts the image asynchronously, and all vector registers are
 * the caller's to save: they may be used at any time.
 */
static __must_check inline bool may_use_simd(void)
{
	return true;
}

#endif
