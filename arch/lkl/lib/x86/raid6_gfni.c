// SPDX-License-Identifier: GPL-2.0
/*
 * RAID-6 syndromes by the Galois field instructions (GFNI) on ZMM registers:
 * Q is doubled in RAID-6's field by one instruction, where lib/raid6/avx512.c
 * needs five.  256 bytes of each disk at a time, as there.
 *
 * Registers: 0 is the matrix of doubling, 4 to 7 are P, and 8 to 11 Q.  They
 * live from one statement to the next, see the Makefile.
 */
#include <linux/raid/pq.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>

#include "raid6_gfni.h"

#define STEP	256

/*
 * Times x modulo x^8 + x^4 + x^3 + x^2 + 1 (H. Peter Anvin, The mathematics of
 * RAID-6) as vgf2p8affineqb takes it: byte 7 - i says which bits of the factor
 * are added for bit i of the product.
 */
static const u64 doubling = 0x8001828488102040;

static __always_inline void begin(void)
{
	kernel_fpu_begin();
	asm volatile("vpbroadcastq %0, %%zmm0" : : "m" (doubling));
}

static __always_inline void clear(void)
{
	asm volatile("vpxorq %zmm4, %zmm4, %zmm4\n\t"
		     "vpxorq %zmm5, %zmm5, %zmm5\n\t"
		     "vpxorq %zmm6, %zmm6, %zmm6\n\t"
		     "vpxorq %zmm7, %zmm7, %zmm7\n\t"
		     "vpxorq %zmm8, %zmm8, %zmm8\n\t"
		     "vpxorq %zmm9, %zmm9, %zmm9\n\t"
		     "vpxorq %zmm10, %zmm10, %zmm10\n\t"
		     "vpxorq %zmm11, %zmm11, %zmm11");
}

static __always_inline void double_q(void)
{
	asm volatile("vgf2p8affineqb $0, %zmm0, %zmm8, %zmm8\n\t"
		     "vgf2p8affineqb $0, %zmm0, %zmm9, %zmm9\n\t"
		     "vgf2p8affineqb $0, %zmm0, %zmm10, %zmm10\n\t"
		     "vgf2p8affineqb $0, %zmm0, %zmm11, %zmm11");
}

static __always_inline void add_to_p(const u8 *from)
{
	asm volatile("vpxorq    (%0), %%zmm4, %%zmm4\n\t"
		     "vpxorq  64(%0), %%zmm5, %%zmm5\n\t"
		     "vpxorq 128(%0), %%zmm6, %%zmm6\n\t"
		     "vpxorq 192(%0), %%zmm7, %%zmm7"
		     : : "r" (from) : "memory");
}

static __always_inline void add_to_q(const u8 *from)
{
	asm volatile("vpxorq    (%0), %%zmm8, %%zmm8\n\t"
		     "vpxorq  64(%0), %%zmm9, %%zmm9\n\t"
		     "vpxorq 128(%0), %%zmm10, %%zmm10\n\t"
		     "vpxorq 192(%0), %%zmm11, %%zmm11"
		     : : "r" (from) : "memory");
}

static __always_inline void add_to_both(const u8 *from)
{
	asm volatile("vmovdqa64    (%0), %%zmm12\n\t"
		     "vmovdqa64  64(%0), %%zmm13\n\t"
		     "vmovdqa64 128(%0), %%zmm14\n\t"
		     "vmovdqa64 192(%0), %%zmm15\n\t"
		     "vpxorq %%zmm12, %%zmm4, %%zmm4\n\t"
		     "vpxorq %%zmm13, %%zmm5, %%zmm5\n\t"
		     "vpxorq %%zmm14, %%zmm6, %%zmm6\n\t"
		     "vpxorq %%zmm15, %%zmm7, %%zmm7\n\t"
		     "vpxorq %%zmm12, %%zmm8, %%zmm8\n\t"
		     "vpxorq %%zmm13, %%zmm9, %%zmm9\n\t"
		     "vpxorq %%zmm14, %%zmm10, %%zmm10\n\t"
		     "vpxorq %%zmm15, %%zmm11, %%zmm11"
		     : : "r" (from) : "memory");
}

/*
 * Into the caches, not past them as lib/raid6 has it: disks of a library are files,
 * to which the host copies what was computed.
 */
static __always_inline void store(u8 *p, u8 *q)
{
	asm volatile("vmovdqa64 %%zmm4,    (%0)\n\t"
		     "vmovdqa64 %%zmm5,  64(%0)\n\t"
		     "vmovdqa64 %%zmm6, 128(%0)\n\t"
		     "vmovdqa64 %%zmm7, 192(%0)\n\t"
		     "vmovdqa64 %%zmm8,    (%1)\n\t"
		     "vmovdqa64 %%zmm9,  64(%1)\n\t"
		     "vmovdqa64 %%zmm10, 128(%1)\n\t"
		     "vmovdqa64 %%zmm11, 192(%1)"
		     : : "r" (p), "r" (q) : "memory");
}

static int raid6_have_gfni(void)
{
	return boot_cpu_has(X86_FEATURE_GFNI) && boot_cpu_has(X86_FEATURE_AVX512F);
}

static void raid6_gfni_gen_syndrome(int disks, size_t bytes, void **ptrs)
{
	u8 **disk = (u8 **)ptrs, *p = disk[disks - 2], *q = disk[disks - 1];
	size_t at;
	int i;

	begin();
	for (at = 0; at < bytes; at += STEP) {
		clear();
		for (i = disks - 3; i >= 0; i--) {
			double_q();
			add_to_both(disk[i] + at);
		}
		store(p + at, q + at);
	}
	kernel_fpu_end();
}

/* Of the disks from @start to @stop, with what changes in them; of the others nothing does. */
static void raid6_gfni_xor_syndrome(int disks, int start, int stop, size_t bytes, void **ptrs)
{
	u8 **disk = (u8 **)ptrs, *p = disk[disks - 2], *q = disk[disks - 1];
	size_t at;
	int i;

	begin();
	for (at = 0; at < bytes; at += STEP) {
		clear();
		for (i = stop; i >= start; i--) {
			double_q();
			add_to_both(disk[i] + at);
		}
		for (; i >= 0; i--)
			double_q();
		add_to_p(p + at);
		add_to_q(q + at);
		store(p + at, q + at);
	}
	kernel_fpu_end();
}

const struct raid6_calls raid6_gfni = {
	.gen_syndrome	= raid6_gfni_gen_syndrome,
	.xor_syndrome	= raid6_gfni_xor_syndrome,
	.valid		= raid6_have_gfni,
	.name		= "gfni",
};
