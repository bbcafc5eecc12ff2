// SPDX-License-Identifier: GPL-2.0
/* Polled interrupts: where they are looked for, and where they must not be. */
#include <kunit/test.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/sched.h>
#include <asm/lkl.h>

/* The last lines: devices take the first ones. */
#define LINE		(NR_IRQS - 1)
#define OTHER_LINE	(NR_IRQS - 2)

struct lines {
	unsigned int taken, other_taken, outside, enabled, again;
};

/* What a device of the host does, but for the wake-up of a carrier that sleeps. */
static void raise(unsigned int irq)
{
	__atomic_fetch_or(&lkl_vcpu.pending, BIT(irq), __ATOMIC_SEQ_CST);
}

static irqreturn_t handler(int irq, void *data)
{
	struct lines *lines = data;

	lines->outside += !in_hardirq();
	lines->enabled += !irqs_disabled();
	if (irq == LINE)
		lines->taken++;
	else
		lines->other_taken++;
	if (lines->again) {
		lines->again--;
		raise(irq);
	}
	return IRQ_HANDLED;
}

static int init(struct kunit *test)
{
	struct lines *lines = kunit_kzalloc(test, sizeof(*lines), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, lines);
	test->priv = lines;
	KUNIT_ASSERT_EQ(test, request_irq(LINE, handler, 0, "lkl_kunit", lines), 0);
	if (request_irq(OTHER_LINE, handler, 0, "lkl_kunit", lines)) {
		free_irq(LINE, lines);
		return -EBUSY;
	}
	return 0;
}

static void done(struct kunit *test)
{
	free_irq(LINE, test->priv);
	free_irq(OTHER_LINE, test->priv);
}

static void waits_while_disabled(struct kunit *test)
{
	struct lines *lines = test->priv;
	unsigned int before;

	local_irq_disable();
	raise(LINE);
	cpu_relax();
	before = lines->taken;
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, before, 0);
	KUNIT_EXPECT_EQ(test, lines->taken, 1);
	KUNIT_EXPECT_EQ(test, lines->outside, 0);
	KUNIT_EXPECT_EQ(test, lines->enabled, 0);
}

static void restore_of_disabled_takes_none(struct kunit *test)
{
	struct lines *lines = test->priv;
	unsigned long outer, inner;
	unsigned int before;

	local_irq_save(outer);
	local_irq_save(inner);
	raise(LINE);
	local_irq_restore(inner);
	before = lines->taken;
	local_irq_restore(outer);
	KUNIT_EXPECT_EQ(test, before, 0);
	KUNIT_EXPECT_EQ(test, lines->taken, 1);
}

static void looks_in_cpu_relax(struct kunit *test)
{
	struct lines *lines = test->priv;

	raise(LINE);
	cpu_relax();
	KUNIT_EXPECT_EQ(test, lines->taken, 1);
}

static void looks_in_cond_resched(struct kunit *test)
{
	struct lines *lines = test->priv;

	raise(LINE);
	cond_resched();
	KUNIT_EXPECT_EQ(test, lines->taken, 1);
}

static void takes_each_line_once(struct kunit *test)
{
	struct lines *lines = test->priv;

	local_irq_disable();
	raise(LINE);
	raise(LINE);
	raise(OTHER_LINE);
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, lines->taken, 1);
	KUNIT_EXPECT_EQ(test, lines->other_taken, 1);
}

static void takes_what_a_handler_raises(struct kunit *test)
{
	struct lines *lines = test->priv;

	lines->again = 5;
	local_irq_disable();
	raise(LINE);
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, lines->taken, 6);
	KUNIT_EXPECT_FALSE(test, lkl_irq_pending());
}

static struct kunit_case cases[] = {
	KUNIT_CASE(waits_while_disabled),
	KUNIT_CASE(restore_of_disabled_takes_none),
	KUNIT_CASE(looks_in_cpu_relax),
	KUNIT_CASE(looks_in_cond_resched),
	KUNIT_CASE(takes_each_line_once),
	KUNIT_CASE(takes_what_a_handler_raises),
	{}
};

static struct kunit_suite suite = {
	.name = "lkl_irq",
	.init = init,
	.exit = done,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of polled interrupts");
MODULE_LICENSE("GPL");
