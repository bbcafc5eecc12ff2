/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#include <asm/unistd_64.h>

/* Calls of the port itself, in the range left to architectures. */
#define __NR_lkl_virtio_mmio_device_add		(244 + 0)
#define __NR_lkl_virtio_mmio_device_remove	(244 + 1)
#define __NR_lkl_freeze				(244 + 2)
