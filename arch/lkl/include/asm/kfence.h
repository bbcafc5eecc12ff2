/* SPDX-License-Identifier: GPL-2.0 */
/* KFENCE: pages of the linear mapping that are taken away and given back. */
#ifndef _ASM_LKL_KFENCE_H
#define _ASM_LKL_KFENCE_H

#include <linux/mm.h>
#include <asm/lkl.h>

static inline bool arch_kfence_init_pool(void)
{
	return true;
}

static inline bool kfence_protect_page(unsigned long addr, bool protect)
{
	unsigned int prot = protect ? 0 : LKL_MAP_READ | LKL_MAP_WRITE;

	return !host_call(map, addr, __pa(addr), PAGE_SIZE, prot);
}

#endif
