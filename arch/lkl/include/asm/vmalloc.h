/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_VMALLOC_H
#define _ASM_LKL_VMALLOC_H

/* A window of addresses that the host reserved. */
extern unsigned long lkl_vmalloc_start, lkl_vmalloc_end;

#define VMALLOC_START	lkl_vmalloc_start
#define VMALLOC_END	lkl_vmalloc_end

#endif
