// SPDX-License-Identifier: GPL-2.0
/*
 * What all comparisons share: random input, damage on purpose, and the count of
 * what differs.
 */
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "selftest.h"

/* More lines than this say nothing new. */
#define MAX_REPORTS	30

/* lkl.selftest_damage=GROUP: one result of that group gets a wrong bit. */
static char *damaged_group __initdata;

/* How many results of the group are left alone before; 0: nothing is damaged. */
#define DAMAGE_AFTER	7
static unsigned int damage_countdown __initdata;

static struct rnd_state random __initdata;
static struct selftest_result result __initdata;

void __init selftest_check(bool same, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	result.comparisons++;
	if (likely(same) || result.failures++ >= MAX_REPORTS)
		return;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_err("lkl selftest: differs: %pV\n", &vaf);
	va_end(args);
}

void __init selftest_damage(void *got, size_t n)
{
	if (n && damage_countdown && !--damage_countdown)
		((u8 *)got)[selftest_below(n)] ^= 1 << selftest_below(8);
}

bool __init selftest_same(void *got, const void *want, size_t n)
{
	selftest_damage(got, n);
	return !memcmp(got, want, n);
}

void __init selftest_count(void)
{
	result.implementations++;
}

u32 __init selftest_below(u32 limit)
{
	return prandom_u32_state(&random) % limit;
}

void __init selftest_fill(void *to, size_t n)
{
	prandom_bytes_state(&random, to, n);
}

static int __init set_damage(char *value)
{
	damaged_group = value;
	return 0;
}
early_param("lkl.selftest_damage", set_damage);

struct selftest_result __init selftest_run(const char *name, void (*group)(void))
{
	bool damaged = damaged_group && !strcmp(damaged_group, name);

	damage_countdown = damaged ? DAMAGE_AFTER + 1 : 0;
	prandom_seed_state(&random, 1);
	result = (struct selftest_result){ };
	group();
	return result;
}
