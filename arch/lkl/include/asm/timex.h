/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_TIMEX_H
#define _ASM_LKL_TIMEX_H

typedef unsigned long cycles_t;

/* For entropy alone: the clock is the host's. */
#define get_cycles get_cycles
static inline cycles_t get_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

#define CLOCK_TICK_RATE	1000000UL

#endif
