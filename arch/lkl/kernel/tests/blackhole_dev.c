// SPDX-License-Identifier: GPL-2.0
/* The kernel's test of the device that swallows packets, built in: Kconfig offers modules only. */
#include <linux/module.h>

/* When drivers/net has made the device. */
#undef module_init
#define module_init late_initcall

#include "../../../../lib/test_blackhole_dev.c"
