/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_MMU_H
#define _ASM_LKL_MMU_H

/* The host's mappings are the only context. */
typedef struct { } mm_context_t;

#endif
