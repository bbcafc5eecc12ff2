/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What instrumented code calls for each branch and each comparison, before the
 * functions of kernel/kcov.c get to see it (--wrap, see arch/lkl/Makefile).  They
 * do the same, but by two calls in each, and most are for nothing: a thread
 * records branches or comparisons, not both, and most threads neither.
 */
#include <linux/linkage.h>
#include <generated/asm-offsets.h>
#include <lkl/vcpu.h>

	.text

/* current, see asm/current.h. */
	.macro get_current_to register
	movq	%rsp, %\register
	orq	$(LKL_STACK_SIZE - 1), %\register
	movq	-7(%\register), %\register
	.endm

/*
 * void __wrap___sanitizer_cov_trace_pc(void)
 *
 * In interrupts, where coverage may be somebody else's, it is for the kernel's.
 */
SYM_FUNC_START(__wrap___sanitizer_cov_trace_pc)
	.cfi_startproc
	get_current_to rax
	cmpl	$MODE_TRACE_PC, TASK_KCOV_MODE(%rax)
	jne	1f
	testl	$NOT_IN_TASK, TASK_PREEMPT_COUNT(%rax)
	jne	__real___sanitizer_cov_trace_pc
	movq	TASK_KCOV_AREA(%rax), %rdx
	movl	TASK_KCOV_SIZE(%rax), %eax
	movq	(%rdx), %rcx
	incq	%rcx
	cmpq	%rax, %rcx
	jae	1f
	movq	(%rsp), %rax
	movq	%rcx, (%rdx)
	movq	%rax, (%rdx,%rcx,8)
1:	ret
	.cfi_endproc
SYM_FUNC_END(__wrap___sanitizer_cov_trace_pc)

/* The arguments stay where they are, and so does the address to return to. */
	.macro compare name
SYM_FUNC_START(__wrap___sanitizer_cov_trace_\name)
	.cfi_startproc
	get_current_to rax
	cmpl	$MODE_TRACE_CMP, TASK_KCOV_MODE(%rax)
	je	__real___sanitizer_cov_trace_\name
	ret
	.cfi_endproc
SYM_FUNC_END(__wrap___sanitizer_cov_trace_\name)
	.endm

#ifdef CONFIG_KCOV_ENABLE_COMPARISONS
	compare cmp1
	compare cmp2
	compare cmp4
	compare cmp8
	compare const_cmp1
	compare const_cmp2
	compare const_cmp4
	compare const_cmp8
	compare switch
#endif

	.section .note.GNU-stack, "", @progbits
