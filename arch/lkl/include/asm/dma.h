/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_DMA_H
#define _ASM_LKL_DMA_H

#include <asm/page.h>

/* Devices are host code: they reach all memory. */
#define MAX_DMA_ADDRESS	(~0UL)

#endif
