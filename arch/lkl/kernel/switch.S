/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every change of stack in the image happens here.
 *
 * A host stack and a kernel stack meet in two ways: lkl_call_on_stack() runs a
 * function on the empty stack of the current task, lkl_resume() continues a
 * fiber that lkl_suspend() stopped.  Either way the image is left through
 * lkl_vcpu.host_sp, which holds the carrier's registers: the fiber that leaves
 * need not be the one that was entered, nor run on the thread that entered it.
 */
#include <linux/linkage.h>
#include <generated/asm-offsets.h>

	.text

	.macro save_registers
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	movq	%rsp, %rbp
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.endm

	.macro restore_registers
	popq	%r15
	.cfi_adjust_cfa_offset -8
	popq	%r14
	.cfi_adjust_cfa_offset -8
	popq	%r13
	.cfi_adjust_cfa_offset -8
	popq	%r12
	.cfi_adjust_cfa_offset -8
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	.endm

/*
 * long lkl_call_on_stack(unsigned long stack_top, long (*fn)(void *), void *arg)
 *
 * stack_top is where struct lkl_stack_top starts.  Its first two words become
 * a frame that links to the caller's, so that debuggers and perf walk from the
 * kernel's stack into the caller's.
 */
SYM_FUNC_START(lkl_call_on_stack)
	.cfi_startproc
	save_registers
	leaq	lkl_vcpu(%rip), %rax
	movq	%rsp, VCPU_HOST_SP(%rax)
	movq	%rbp, (%rdi)
	leaq	1f(%rip), %rax
	movq	%rax, 8(%rdi)
	movq	%rdi, %rsp
	.cfi_def_cfa rbp, 16
	movq	%rdx, %rdi
	call	*%rsi
1:
	/* The fiber is at its end, on whichever thread: leave with its result. */
SYM_INNER_LABEL(lkl_leave, SYM_L_GLOBAL)
	leaq	lkl_vcpu(%rip), %rcx
	movq	VCPU_HOST_SP(%rcx), %rsp
	.cfi_def_cfa rsp, 56
	restore_registers
	ret
	.cfi_endproc
SYM_FUNC_END(lkl_call_on_stack)

/*
 * long lkl_resume(void): continue the fiber that lkl_suspend() stopped;
 * returns what the next to leave the image says.
 */
SYM_FUNC_START(lkl_resume)
	.cfi_startproc
	save_registers
	leaq	lkl_vcpu(%rip), %rax
	movq	%rsp, VCPU_HOST_SP(%rax)
	movq	VCPU_FIBER_SP(%rax), %rsp
	restore_registers
	ret
	.cfi_endproc
SYM_FUNC_END(lkl_resume)

/* void lkl_suspend(long reason): leave the image until lkl_resume(). */
SYM_FUNC_START(lkl_suspend)
	.cfi_startproc
	save_registers
	leaq	lkl_vcpu(%rip), %rcx
	movq	%rsp, VCPU_FIBER_SP(%rcx)
	movq	VCPU_HOST_SP(%rcx), %rsp
	movq	%rdi, %rax
	restore_registers
	ret
	.cfi_endproc
SYM_FUNC_END(lkl_suspend)

/*
 * struct task_struct *__lkl_switch_to(struct task_struct *prev,
 *				       struct task_struct *next)
 * Returns, on the stack of next, who ran before it.
 */
SYM_FUNC_START(__lkl_switch_to)
	.cfi_startproc
	save_registers
	movq	%rdi, %rax
	movq	%rsp, TASK_THREAD_SP(%rdi)
	movq	TASK_THREAD_SP(%rsi), %rsp
	restore_registers
	ret
	.cfi_endproc
SYM_FUNC_END(__lkl_switch_to)

/*
 * The first code of a new fiber, returned to by __lkl_switch_to(): rax is the
 * task that ran before, rbx and r12 are a kernel thread's function and its
 * argument (see copy_thread()).
 */
SYM_FUNC_START(lkl_ret_from_fork)
	.cfi_startproc
	.cfi_undefined rip
	movq	%rax, %rdi
	call	schedule_tail
	testq	%rbx, %rbx
	jz	1f
	movq	%r12, %rdi
	call	*%rbx
	/* A kernel thread comes back when kernel_execve() made it a process. */
1:	call	lkl_user_first
	jmp	lkl_leave
	.cfi_endproc
SYM_FUNC_END(lkl_ret_from_fork)

	.section .note.GNU-stack, "", @progbits
