// SPDX-License-Identifier: GPL-2.0
/* The kernel's test of its BPF interpreter, built in: Kconfig offers modules only. */
#include "../../../../lib/test_bpf.c"
