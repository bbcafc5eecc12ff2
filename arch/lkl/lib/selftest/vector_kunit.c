// SPDX-License-Identifier: GPL-2.0
/*
 * Vector implementations against generic ones, as a suite: in a kernel with KUnit
 * in place of boot.c.  It lives as long as the comparisons do, for the boot.
 */
#include <kunit/test.h>

#include "selftest.h"

static void __init compare(struct kunit *test, void (*group)(void))
{
	struct selftest_result result = selftest_run(test->name, group);

	kunit_info(test, "%u implementations, %u comparisons\n", result.implementations,
		   result.comparisons);
	KUNIT_EXPECT_GT(test, result.comparisons, 0);
	KUNIT_EXPECT_EQ(test, result.failures, 0);
}

static void __init memory(struct kunit *test)
{
	compare(test, selftest_memory);
}

static void __init sums(struct kunit *test)
{
	compare(test, selftest_sums);
}

static void __init raid(struct kunit *test)
{
	compare(test, selftest_raid);
}

static void __init hashes(struct kunit *test)
{
	compare(test, selftest_hashes);
}

static void __init ciphers(struct kunit *test)
{
	compare(test, selftest_ciphers);
}

static void __init library(struct kunit *test)
{
	compare(test, selftest_library);
}

static struct kunit_case cases[] __refdata = {
	KUNIT_CASE(memory),
	KUNIT_CASE(sums),
	KUNIT_CASE(raid),
	KUNIT_CASE(hashes),
	KUNIT_CASE(ciphers),
	KUNIT_CASE(library),
	{}
};

static struct kunit_suite suite = {
	.name = "lkl_vector",
	.test_cases = cases,
};

kunit_test_init_section_suite(suite);

MODULE_DESCRIPTION("KUnit tests of vector implementations");
MODULE_LICENSE("GPL");
