// SPDX-License-Identifier: GPL-2.0
/* The kernel's test of per-CPU variables, built in: Kconfig offers modules only. */
#include "../../../../lib/percpu_test.c"
