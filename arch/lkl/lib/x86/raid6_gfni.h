/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LKL_LIB_X86_RAID6_GFNI_H
#define _LKL_LIB_X86_RAID6_GFNI_H

#include <linux/raid/pq.h>

/* For CPUs with GFNI and AVX-512; may be run where .valid() says so. */
extern const struct raid6_calls raid6_gfni;

#endif
