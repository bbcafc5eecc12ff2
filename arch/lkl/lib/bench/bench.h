/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Measurements of the kernel that no system call can make (CONFIG_LKL_BENCH).
 *
 * Each is a read-only parameter, /sys/module/lkl_bench/parameters/NAME.  Reading
 * it makes the measurement and gives the result as a line of numbers; until then
 * it costs nothing but its entry in sysfs.
 */
#ifndef _LKL_BENCH_H
#define _LKL_BENCH_H

#include <linux/moduleparam.h>

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "lkl_bench."

#define LKL_BENCH_PARAM(name, getter)						\
	static const struct kernel_param_ops name##_ops = { .get = getter };	\
	module_param_cb(name, &name##_ops, NULL, 0400)

#endif
