/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What arch/lkl/lib offers to the rest of the architecture.
 */
#ifndef _ASM_LKL_LIB_H
#define _ASM_LKL_LIB_H

#include <linux/types.h>

struct xor_block_template;

/*
 * Find out what the CPU can do and choose the routines for it.  Call it once,
 * early in setup_arch(), before or after parse_early_param(); until then the
 * routines that every x86-64 CPU can run are used.
 */
void lkl_cpu_init(void);

/*
 * Copy n bytes between kernel and application memory, which may fault (see
 * asm/extable.h).  Returns how many bytes at the end were not copied.
 */
unsigned long lkl_copy_user(void *to, const void *from, unsigned long n);

#ifdef CONFIG_LKL_VECTOR
struct xor_block_template *lkl_xor_template(void);
#else
static inline struct xor_block_template *lkl_xor_template(void)
{
	return NULL;
}
#endif

#endif
