// SPDX-License-Identifier: GPL-2.0
/*
 * xor of blocks (RAID-5) with x86's routines.
 *
 * They live in a header that crypto/xor.c includes on x86.  Here that file is
 * compiled like all others, with vector registers at the compiler's disposal,
 * so the routines get a file of their own.
 */
#include <linux/init.h>
#include <linux/raid/xor.h>
#include <asm/lkl_lib.h>

#include "../../../x86/include/asm/xor.h"

/* The first in x86's list that this CPU can run, or null.  With one choice left,
 * crypto/xor.c does not measure.
 */
struct xor_block_template *lkl_xor_template(void)
{
	struct xor_block_template *best = NULL;

#define xor_speed(template)		\
do {					\
	if (!best)			\
		best = (template);	\
} while (0)
	if (boot_cpu_has(X86_FEATURE_XMM2))
		XOR_TRY_TEMPLATES;
#undef xor_speed
	return best;
}
