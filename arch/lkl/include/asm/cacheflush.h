/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_CACHEFLUSH_H
#define _ASM_LKL_CACHEFLUSH_H

/* Mirror the entries of init_mm in [start, end) by mappings of the host. */
void flush_cache_vmap(unsigned long start, unsigned long end);
#define flush_cache_vmap flush_cache_vmap
#define flush_cache_vmap_early(start, end)	flush_cache_vmap(start, end)

#include <asm-generic/cacheflush.h>

#endif
