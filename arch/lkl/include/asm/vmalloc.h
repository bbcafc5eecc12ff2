/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_VMALLOC_H
#define _ASM_LKL_VMALLOC_H

#include <asm/vcpu.h>

#define VMALLOC_START	(lkl_boot_info.vmalloc_start)
#define VMALLOC_END	(lkl_boot_info.vmalloc_end)

#endif
