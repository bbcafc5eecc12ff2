/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The comparison of vector implementations with generic ones (CONFIG_LKL_SELFTEST):
 * at boot of the test build, and as a suite of KUnit.
 */
#ifndef _LKL_SELFTEST_H
#define _LKL_SELFTEST_H

#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/prandom.h>
#include <linux/types.h>
#include <asm/cpufeature.h>

/* Up to this many CPU features that an implementation needs; 0 ends the list. */
#define SELFTEST_NEEDS	5

/* Each compares its routines and reports by selftest_check(). */
void selftest_memory(void);
void selftest_sums(void);
void selftest_raid(void);
void selftest_hashes(void);
void selftest_ciphers(void);
void selftest_library(void);

struct selftest_result {
	unsigned int implementations, comparisons, failures;
};

/* Runs one of them, whose name lkl.selftest_damage= may have. */
struct selftest_result selftest_run(const char *name, void (*group)(void));

/* Counts a comparison, and a failure with its line of log if !same. */
__printf(2, 3) void selftest_check(bool same, const char *fmt, ...);

/*
 * Compares n bytes that a tested routine made with what they have to be.  Damages
 * them before if lkl.selftest_damage= says so, to see that it is noticed.
 */
bool selftest_same(void *got, const void *want, size_t n);

/* Only the damage, for who compares by other means. */
void selftest_damage(void *got, size_t n);

/* Counts an implementation. */
void selftest_count(void);

/* The same numbers in each run of a group. */
u32 selftest_below(u32 limit);
void selftest_fill(void *to, size_t n);

static inline bool selftest_has(const u16 *needs)
{
	int i;

	for (i = 0; i < SELFTEST_NEEDS && needs[i]; i++)
		if (!boot_cpu_has(needs[i]))
			return false;
	return true;
}

#endif
