/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shadow of every address of the process, at a fixed place: the compiler has
 * its offset in each access.  The host maps it, as zero, which says accessible, so
 * that nothing has to be known of memory that is not the kernel's.  Kernels of one
 * process share it, since no two have an address in common.
 */
#ifndef _ASM_LKL_KASAN_H
#define _ASM_LKL_KASAN_H

#include <linux/const.h>
#include <asm/processor.h>

#define KASAN_SHADOW_SCALE_SHIFT	3
#define KASAN_SHADOW_OFFSET		_AC(CONFIG_KASAN_SHADOW_OFFSET, UL)
#define KASAN_SHADOW_START		KASAN_SHADOW_OFFSET
#define KASAN_SHADOW_SIZE		((TASK_SIZE_MAX + PAGE_SIZE) >> KASAN_SHADOW_SCALE_SHIFT)
#define KASAN_SHADOW_END		(KASAN_SHADOW_START + KASAN_SHADOW_SIZE)

#endif
