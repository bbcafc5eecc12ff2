/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checksums of 32 bits, bit-reflected (crc32, crc32c), by carry-less
 * multiplication of whole vectors.
 *
 * A message is a polynomial over GF(2), its first bit the highest power of x; its
 * checksum is the remainder of message * x^32 divided by P.  The remainder of a
 * sum is the sum of the remainders, so a block that stands D bits before the end
 * may be replaced by anything that has the same remainder as block * x^D.  Cut the
 * block into its first 64 bits A and its last ones B:
 *
 *	block * x^D = A * x^(D+64) + B * x^D
 *		   == A * (x^(D+64) mod P) + B * (x^D mod P)	(mod P)
 *
 * which fits into 128 bits again and is added to (xor) the block that lies D bits
 * further on.  Several such sums run side by side, a vector of blocks each, and are
 * folded into one in the end.
 *
 * "Reflected" means that bit i of a 64-bit word is the coefficient of x^(63-i), as
 * the bytes lie in memory.  PCLMULQDQ of two such words gives product * x in 128
 * reflected bits.  Hence the factors in the tables are those of D-1.
 *
 * The tables are computed at boot, see crc32.c.
 */
#include <linux/linkage.h>

/* struct lkl_crc_fold: pairs of factors for A and B, by distance in bits. */
#define BY_128		0
#define BY_256		16
#define BY_512		32
#define BY_1024		48
#define BY_2048		64
#define REDUCE		80	/* x^95 mod P, floor(x^95 / P) */
#define POLYNOMIAL	96	/* (P - x^32) * x^31 */

/* acc * x^D + data; factors holds the pair of D in each lane. */
.macro fold	v:req, acc:req, data:req, factors:req, tmp:req
	vpclmulqdq	$0x00, %\v\factors, %\v\acc, %\v\tmp
	vpclmulqdq	$0x11, %\v\factors, %\v\acc, %\v\acc
.ifc \v, zmm
	vpternlogq	$0x96, \data, %\v\tmp, %\v\acc
.else
	vpxor		\data, %\v\tmp, %\v\tmp
	vpxor		%\v\tmp, %\v\acc, %\v\acc
.endif
.endm

.macro factors	v:req, distance:req, reg:req
.ifc \v, zmm
	vbroadcasti32x4	\distance(%rcx), %\v\reg
.else
	vbroadcasti128	\distance(%rcx), %\v\reg
.endif
.endm

.macro load	v:req, offset:req, reg:req
.ifc \v, zmm
	vmovdqu64	\offset(%rsi), %\v\reg
.else
	vmovdqu		\offset(%rsi), %\v\reg
.endif
.endm

/*
 * u32 lkl_crc_fold_<bytes>(u32 crc, const u8 *p, size_t n,
 *			    const struct lkl_crc_fold *k);
 *
 * The checksum goes from crc over n bytes, a multiple of the vector's size and at
 * least four of them.  by_1, by_2, by_4: the distances of 1, 2 and 4 vectors.
 */
.macro crc_fold	name:req, v:req, bytes:req, by_1:req, by_2:req, by_4:req
SYM_FUNC_START(\name)
	/* The old checksum is added to the first 32 bits of what follows it. */
	vmovd		%edi, %xmm0
	factors		\v, \by_1, 6
	factors		\v, \by_4, 5
.ifc \v, zmm
	vpxorq		(%rsi), %\v\()0, %\v\()0
.else
	vpxor		(%rsi), %\v\()0, %\v\()0
.endif
	load		\v, \bytes, 1
	load		\v, 2*\bytes, 2
	load		\v, 3*\bytes, 3
	add		$4 * \bytes, %rsi
	sub		$8 * \bytes, %rdx
	jb		.Lcombine\@

	.p2align	4
.Lloop\@:
	fold		\v, 0, (%rsi), 5, 8
	fold		\v, 1, \bytes(%rsi), 5, 9
	fold		\v, 2, 2*\bytes(%rsi), 5, 10
	fold		\v, 3, 3*\bytes(%rsi), 5, 11
	add		$4 * \bytes, %rsi
	sub		$4 * \bytes, %rdx
	jae		.Lloop\@

.Lcombine\@:
	factors		\v, \by_2, 5
	fold		\v, 0, %\v\()2, 5, 8
	fold		\v, 1, %\v\()3, 5, 9
	fold		\v, 0, %\v\()1, 6, 8
	add		$3 * \bytes, %rdx	/* what is left, less one vector */
	js		.Lreduce\@

.Lvectors\@:
	fold		\v, 0, (%rsi), 6, 8
	add		$\bytes, %rsi
	sub		$\bytes, %rdx
	jae		.Lvectors\@

.Lreduce\@:
.ifc \v, zmm
	vextracti64x4	$1, %zmm0, %ymm1
	vbroadcasti128	BY_256(%rcx), %ymm5
	fold		ymm, 0, %ymm1, 5, 8
.endif
	vextracti128	$1, %ymm0, %xmm1
	vmovdqu		BY_128(%rcx), %xmm5
	fold		xmm, 0, %xmm1, 5, 8

	/*
	 * The last block is A * x^64 + B; wanted is its product with x^32, modulo P.
	 * T = A * x^96 + B * x^32 (mod P) has 96 bits: T = U * x^32 + V.  The
	 * quotient of U * x^32 by P is exactly floor(U * floor(x^95 / P) / x^63), as
	 * U has 64 bits (Barrett); what remains of T is V less the quotient times
	 * P - x^32, in the 32 bits that count.
	 */
	vmovdqu		REDUCE(%rcx), %xmm5
	vpclmulqdq	$0x00, %xmm5, %xmm0, %xmm1
	vpsrldq		$8, %xmm0, %xmm0
	vpsrldq		$4, %xmm1, %xmm2
	vpxor		%xmm2, %xmm0, %xmm0
	vpclmulqdq	$0x10, %xmm5, %xmm0, %xmm0
	vmovq		POLYNOMIAL(%rcx), %xmm5
	vpclmulqdq	$0x00, %xmm5, %xmm0, %xmm0
	vpextrd		$3, %xmm1, %edx
	vpextrd		$2, %xmm0, %eax
	xor		%edx, %eax
	vzeroupper
	ret
SYM_FUNC_END(\name)
.endm

crc_fold lkl_crc_fold_32, ymm, 32, BY_256, BY_512, BY_1024
#ifdef CONFIG_AS_AVX512
crc_fold lkl_crc_fold_64, zmm, 64, BY_512, BY_1024, BY_2048
#endif
