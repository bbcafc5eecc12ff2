/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_XOR_H
#define _ASM_LKL_XOR_H

#include <asm-generic/xor.h>
#include <asm/lkl_lib.h>

/* There is always a choice, so crypto/xor.c never measures at boot. */
#define XOR_SELECT_TEMPLATE(fastest) (lkl_xor_template() ?: &xor_block_32regs)

#endif
