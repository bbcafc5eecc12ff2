// SPDX-License-Identifier: GPL-2.0
/* The kernel's test of static keys, built in: Kconfig offers modules only. */
#include "../../../../lib/test_static_keys.c"
