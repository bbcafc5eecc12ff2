/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copy to and from application memory, which may fault.
 *
 * Any load or store may fault, in the middle of the buffer too, and the caller
 * wants to know how far the copy came.  So the pointers and the count always
 * describe what is left to do when such an instruction runs; wherever it faults,
 * "rep movsb" does the same bytes again from there, one by one, and stops at the
 * one that cannot be reached.  That the good ones are copied twice is harmless.
 */
#include <linux/linkage.h>
#include <asm/extable.h>

.macro USER insn:vararg
.Luser_\@:
	\insn
	_ASM_EXTABLE(.Luser_\@, .Lcopy_bytes)
.endm

/* The first 64 bytes of what is left to do; the caller says that they are done. */
.macro COPY_64
	USER	movups	(%rsi), %xmm0
	USER	movups	16(%rsi), %xmm1
	USER	movups	32(%rsi), %xmm2
	USER	movups	48(%rsi), %xmm3
	USER	movups	%xmm0, (%rdi)
	USER	movups	%xmm1, 16(%rdi)
	USER	movups	%xmm2, 32(%rdi)
	USER	movups	%xmm3, 48(%rdi)
.endm

	.text

/*
 * unsigned long lkl_copy_user(void *to, const void *from, unsigned long n)
 *
 * rdi, rsi, rcx: what is left to do.  Returns what could not be done.
 */
SYM_FUNC_START(lkl_copy_user)
	movq	%rdx, %rcx
	cmpq	$128, %rcx
	ja	.Lmore_than_128

.Lat_most_128:
	cmpl	$16, %ecx
	jb	.Lless_than_16
	cmpl	$32, %ecx
	ja	.Lmore_than_32
	USER	movups	(%rsi), %xmm0
	USER	movups	-16(%rsi, %rcx), %xmm1
	USER	movups	%xmm0, (%rdi)
	USER	movups	%xmm1, -16(%rdi, %rcx)
	xorl	%eax, %eax
	ret

.Lmore_than_32:
	cmpl	$64, %ecx
	ja	.Lmore_than_64
	USER	movups	(%rsi), %xmm0
	USER	movups	16(%rsi), %xmm1
	USER	movups	-32(%rsi, %rcx), %xmm2
	USER	movups	-16(%rsi, %rcx), %xmm3
	USER	movups	%xmm0, (%rdi)
	USER	movups	%xmm1, 16(%rdi)
	USER	movups	%xmm2, -32(%rdi, %rcx)
	USER	movups	%xmm3, -16(%rdi, %rcx)
	xorl	%eax, %eax
	ret

.Lmore_than_64:
	USER	movups	(%rsi), %xmm0
	USER	movups	16(%rsi), %xmm1
	USER	movups	32(%rsi), %xmm2
	USER	movups	48(%rsi), %xmm3
	USER	movups	-64(%rsi, %rcx), %xmm4
	USER	movups	-48(%rsi, %rcx), %xmm5
	USER	movups	-32(%rsi, %rcx), %xmm6
	USER	movups	-16(%rsi, %rcx), %xmm7
	USER	movups	%xmm0, (%rdi)
	USER	movups	%xmm1, 16(%rdi)
	USER	movups	%xmm2, 32(%rdi)
	USER	movups	%xmm3, 48(%rdi)
	USER	movups	%xmm4, -64(%rdi, %rcx)
	USER	movups	%xmm5, -48(%rdi, %rcx)
	USER	movups	%xmm6, -32(%rdi, %rcx)
	USER	movups	%xmm7, -16(%rdi, %rcx)
	xorl	%eax, %eax
	ret

.Lless_than_16:
	cmpl	$8, %ecx
	jb	.Lless_than_8
	USER	movq	(%rsi), %rax
	USER	movq	-8(%rsi, %rcx), %rdx
	USER	movq	%rax, (%rdi)
	USER	movq	%rdx, -8(%rdi, %rcx)
	xorl	%eax, %eax
	ret

.Lless_than_8:
	cmpl	$4, %ecx
	jb	.Lless_than_4
	USER	movl	(%rsi), %eax
	USER	movl	-4(%rsi, %rcx), %edx
	USER	movl	%eax, (%rdi)
	USER	movl	%edx, -4(%rdi, %rcx)
	xorl	%eax, %eax
	ret

.Lless_than_4:
	testl	%ecx, %ecx
	jz	.Ldone
	USER	movzbl	(%rsi), %eax
	USER	movb	%al, (%rdi)
	cmpl	$1, %ecx
	je	.Ldone
	USER	movzwl	-2(%rsi, %rcx), %eax
	USER	movw	%ax, -2(%rdi, %rcx)
.Ldone:
	xorl	%eax, %eax
	ret

.Lmore_than_128:
	cmpq	lkl_movs_min(%rip), %rcx
	jae	.Lcopy_many
.Lnext_64:
	COPY_64
	addq	$64, %rsi
	addq	$64, %rdi
	subq	$64, %rcx
	cmpq	$128, %rcx
	ja	.Lnext_64
	jmp	.Lat_most_128

	/* Of a page to a buffer of malloc(3), a third faster than to where it begins. */
.Lcopy_many:
	movl	%edi, %eax
	negl	%eax
	andl	$63, %eax
	jz	.Lcopy_bytes
	COPY_64
	addq	%rax, %rdi
	addq	%rax, %rsi
	subq	%rax, %rcx

.Lcopy_bytes:
1:	rep movsb
2:	movq	%rcx, %rax
	ret
	_ASM_EXTABLE(1b, 2b)
SYM_FUNC_END(lkl_copy_user)
