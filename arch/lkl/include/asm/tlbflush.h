/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_TLBFLUSH_H
#define _ASM_LKL_TLBFLUSH_H

#include <linux/mm_types.h>

/*
 * An application's mm is mirrored at each change of an entry (set_ptes(),
 * pte_clear()): there is nothing left to flush.
 */
static inline void flush_tlb_mm(struct mm_struct *mm) { }
static inline void flush_tlb_all(void) { }
static inline void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr) { }
static inline void flush_tlb_range(struct vm_area_struct *vma,
				   unsigned long start, unsigned long end) { }

/* Take mappings of the host away where init_mm has no entry any more. */
void flush_tlb_kernel_range(unsigned long start, unsigned long end);

#endif
