// SPDX-License-Identifier: GPL-2.0
/*
 * What the CPU can do: CPUID, cut down to what the host's operating system
 * saves (XCR0) and to what the kernel parameter lkl.cpu= allows.
 */
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/lkl_lib.h>

#include "lib.h"

struct cpuinfo_x86 boot_cpu_data __ro_after_init;
u64 lkl_cpu_xfeatures __ro_after_init;

/*
 * lkl.cpu=LEVEL: use nothing of the CPU beyond LEVEL, so that tests reach every
 * routine on one machine.  "generic" turns all vector routines off, the next
 * ones allow instructions on XMM registers, their VEX forms, YMM registers and
 * ZMM registers, each with what goes before.
 */
enum lkl_cpu_level { LEVEL_GENERIC, LEVEL_SSE, LEVEL_AVX, LEVEL_AVX2, LEVEL_AVX512 };

static const char *const level_names[] __initconst = {
	[LEVEL_GENERIC]	= "generic",
	[LEVEL_SSE]	= "sse",
	[LEVEL_AVX]	= "avx",
	[LEVEL_AVX2]	= "avx2",
	[LEVEL_AVX512]	= "avx512",
};

static enum lkl_cpu_level asked_level __initdata = LEVEL_AVX512;
static enum lkl_cpu_level used_level __initdata;

/* The lowest level that a feature belongs to, where that is not LEVEL_SSE. */
struct feature_level {
	u16 feature;
	u8 level;
};

static const struct feature_level levels[] __initconst = {
	{ X86_FEATURE_OSXSAVE, LEVEL_AVX },
	{ X86_FEATURE_AVX, LEVEL_AVX },
	{ X86_FEATURE_FMA, LEVEL_AVX },
	{ X86_FEATURE_F16C, LEVEL_AVX },
	{ X86_FEATURE_AVX2, LEVEL_AVX2 },
	{ X86_FEATURE_VAES, LEVEL_AVX2 },
	{ X86_FEATURE_VPCLMULQDQ, LEVEL_AVX2 },
	{ X86_FEATURE_AVX_VNNI, LEVEL_AVX2 },
	{ X86_FEATURE_AVX512F, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512DQ, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512IFMA, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512CD, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512BW, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512VL, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512VBMI, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512_VBMI2, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512_VNNI, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512_BITALG, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512_VPOPCNTDQ, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512_BF16, LEVEL_AVX512 },
	{ X86_FEATURE_AVX512_FP16, LEVEL_AVX512 },
};

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static struct cpuid_regs __init cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	asm volatile("cpuid"
		     : "=a" (r.eax), "=b" (r.ebx), "=c" (r.ecx), "=d" (r.edx)
		     : "a" (leaf), "c" (subleaf));
	return r;
}

static u64 __init xgetbv(u32 index)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (index));
	return (u64)high << 32 | low;
}

struct cpu_vendor {
	char name[13];
	u8 vendor;
};

/* The order of CPUID leaf 0's twelve letters is ebx, edx, ecx. */
static u8 __init vendor_of(const struct cpuid_regs *leaf0)
{
	static const struct cpu_vendor vendors[] __initconst = {
		{ "GenuineIntel", X86_VENDOR_INTEL },
		{ "AuthenticAMD", X86_VENDOR_AMD },
		{ "HygonGenuine", X86_VENDOR_HYGON },
		{ "CentaurHauls", X86_VENDOR_CENTAUR },
		{ "  Shanghai  ", X86_VENDOR_ZHAOXIN },
	};
	u32 name[3] = { leaf0->ebx, leaf0->edx, leaf0->ecx };
	int i;

	for (i = 0; i < ARRAY_SIZE(vendors); i++)
		if (!memcmp(name, vendors[i].name, sizeof(name)))
			return vendors[i].vendor;
	return X86_VENDOR_UNKNOWN;
}

/* Words of the capability table: see the headings in asm/cpufeatures.h. */
static void __init read_cpu(struct cpuinfo_x86 *c)
{
	struct cpuid_regs leaf0 = cpuid(0, 0), r = cpuid(1, 0);
	u32 family = r.eax >> 8 & 0xf, model = r.eax >> 4 & 0xf;

	if (family == 6 || family == 15)
		model |= r.eax >> 12 & 0xf0;
	if (family == 15)
		family += r.eax >> 20 & 0xff;
	c->x86_vendor = vendor_of(&leaf0);
	c->x86 = family;
	c->x86_model = model;
	c->x86_stepping = r.eax & 0xf;

	c->x86_capability[0] = r.edx;
	c->x86_capability[4] = r.ecx;
	if (leaf0.eax >= 7) {
		r = cpuid(7, 0);
		c->x86_capability[9] = r.ebx;
		c->x86_capability[16] = r.ecx;
		c->x86_capability[18] = r.edx;
		if (r.eax >= 1)
			c->x86_capability[12] = cpuid(7, 1).eax;
	}
	if (cpuid(0x80000000, 0).eax >= 0x80000001) {
		r = cpuid(0x80000001, 0);
		c->x86_capability[1] = r.edx;
		c->x86_capability[6] = r.ecx;
	}
}

/* The highest level whose registers the operating system saves. */
static enum lkl_cpu_level __init highest_level(void)
{
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return LEVEL_SSE;
	lkl_cpu_xfeatures = xgetbv(0);
	if (!boot_cpu_has(X86_FEATURE_AVX) ||
	    !cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL))
		return LEVEL_SSE;
	if (!cpu_has_xfeatures(XFEATURE_MASK_AVX512, NULL))
		return LEVEL_AVX2;
	return LEVEL_AVX512;
}

/*
 * Measured on Sapphire Rapids: with the "fast short" bit the microcode and the
 * loop take the same time for 1500 bytes.  Without it the microcode starts
 * slower; glibc goes over to it at 2 KiB with 16-byte vectors too.
 */
static void __init choose_string_operations(void)
{
	bool erms = boot_cpu_has(X86_FEATURE_ERMS);

	lkl_movs_min = boot_cpu_has(X86_FEATURE_FSRM) ? 1536 : erms ? 2048 : ~0UL;
	lkl_stos_min = boot_cpu_has(X86_FEATURE_FSRS) ? 1536 : erms ? 2048 : ~0UL;
}

void __init lkl_cpu_init(void)
{
	struct cpuinfo_x86 *c = &boot_cpu_data;
	int i;

	memset(c, 0, sizeof(*c));
	lkl_cpu_xfeatures = XFEATURE_MASK_FP | XFEATURE_MASK_SSE;
	read_cpu(c);

	used_level = min(asked_level, highest_level());
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		if (levels[i].level > used_level)
			c->x86_capability[levels[i].feature / 32] &=
				~BIT(levels[i].feature % 32);
	if (used_level < LEVEL_AVX512)
		lkl_cpu_xfeatures &= ~XFEATURE_MASK_AVX512;
	if (used_level < LEVEL_AVX)
		lkl_cpu_xfeatures &= ~XFEATURE_MASK_YMM;
	if (used_level == LEVEL_GENERIC) {
		memset(c->x86_capability, 0, sizeof(c->x86_capability));
		lkl_cpu_xfeatures = 0;
	}
	choose_string_operations();
}

static int __init set_level(char *value)
{
	int i;

	for (i = 0; value && i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(value, level_names[i]))
			continue;
		asked_level = i;
		/* The first call may have been before the parameters. */
		lkl_cpu_init();
		return 0;
	}
	pr_err("lkl.cpu=%s: not one of generic, sse, avx, avx2, avx512\n", value ?: "");
	return -EINVAL;
}
early_param("lkl.cpu", set_level);

static int __init report(void)
{
	pr_info("cpu: at most %s%s%s%s%s\n", level_names[used_level],
		boot_cpu_has(X86_FEATURE_AES) ? ", AES" : "",
		boot_cpu_has(X86_FEATURE_VAES) ? ", VAES" : "",
		boot_cpu_has(X86_FEATURE_SHA_NI) ? ", SHA" : "",
		lkl_movs_min != ~0UL ? ", fast string operations" : "");
	return 0;
}
early_initcall(report);
