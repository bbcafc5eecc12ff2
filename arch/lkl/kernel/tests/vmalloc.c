// SPDX-License-Identifier: GPL-2.0
/* The kernel's stress test of vmalloc, built in: Kconfig offers modules only. */
#include "../../../../lib/test_vmalloc.c"
