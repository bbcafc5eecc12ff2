/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The image has its process's privileges and no others to guard against it:
 * indirect branches are plain, and no call is checked by CET.
 */
#ifndef _ASM_LKL_X86_NOSPEC_BRANCH_H
#define _ASM_LKL_X86_NOSPEC_BRANCH_H

#ifdef __ASSEMBLY__
.macro JMP_NOSPEC reg:req
	jmp	*%\reg
.endm

.macro ENDBR
.endm
#endif

#endif
