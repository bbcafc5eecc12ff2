/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The features of the CPU that the image runs on, under x86's own numbers and
 * names, for x86 code that is built into the image.  Only arch/lkl/lib sees
 * this header: for the rest of the kernel the architecture is not x86.
 */
#ifndef _ASM_LKL_X86_CPUFEATURE_H
#define _ASM_LKL_X86_CPUFEATURE_H

#include <linux/bits.h>
#include <linux/types.h>

/* x86's table of numbers.  Its lists of features that a configuration demands
 * or rules out do not apply: nothing is known before the boot.
 */
#define _ASM_X86_REQUIRED_FEATURES_H
#define _ASM_X86_DISABLED_FEATURES_H
#include "../../../../../x86/include/asm/cpufeatures.h"

/* x86's numbers (asm/processor.h); asm/intel-family.h builds on them. */
#define X86_VENDOR_INTEL	0
#define X86_VENDOR_CYRIX	1
#define X86_VENDOR_AMD		2
#define X86_VENDOR_UMC		3
#define X86_VENDOR_CENTAUR	5
#define X86_VENDOR_TRANSMETA	7
#define X86_VENDOR_NSC		8
#define X86_VENDOR_HYGON	9
#define X86_VENDOR_ZHAOXIN	10
#define X86_VENDOR_VORTEX	11
#define X86_VENDOR_UNKNOWN	0xff

/* The part of x86's structure that its library code reads. */
struct cpuinfo_x86 {
	union {
		struct {
			u8 x86_model;
			u8 x86;		/* family */
			u8 x86_vendor;
			u8 x86_reserved;
		};
		u32 x86_vfm;
	};
	u8 x86_stepping;
	u32 microcode;			/* 0: user mode cannot read it */
	u32 x86_capability[NCAPINTS];
};

/* Written by lkl_cpu_init() and the command line, constant after that. */
extern struct cpuinfo_x86 boot_cpu_data;

/* XCR0, cut down to what lkl.cpu= allows: the register sets that the host's
 * operating system saves.
 */
extern u64 lkl_cpu_xfeatures;

static __always_inline bool cpu_has(const struct cpuinfo_x86 *c, unsigned int feature)
{
	return c->x86_capability[feature / 32] >> (feature % 32) & 1;
}

#define boot_cpu_has(feature)		cpu_has(&boot_cpu_data, feature)
#define static_cpu_has(feature)		boot_cpu_has(feature)
#define cpu_feature_enabled(feature)	boot_cpu_has(feature)

/* Compare asm/fpu/xcr.h. */
#define XFEATURE_MASK_FP	BIT(0)
#define XFEATURE_MASK_SSE	BIT(1)
#define XFEATURE_MASK_YMM	BIT(2)
#define XFEATURE_MASK_OPMASK	BIT(5)
#define XFEATURE_MASK_ZMM_Hi256	BIT(6)
#define XFEATURE_MASK_Hi16_ZMM	BIT(7)
#define XFEATURE_MASK_AVX512	(XFEATURE_MASK_OPMASK | XFEATURE_MASK_ZMM_Hi256 | \
				 XFEATURE_MASK_Hi16_ZMM)

/* All of the register sets in mask may be used.  *missing names the reason. */
static inline bool cpu_has_xfeatures(u64 mask, const char **missing)
{
	if ((lkl_cpu_xfeatures & mask) == mask)
		return true;
	if (missing)
		*missing = "register set";
	return false;
}

#endif
