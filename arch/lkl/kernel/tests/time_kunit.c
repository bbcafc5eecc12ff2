// SPDX-License-Identifier: GPL-2.0
/* Clock, delays and timers. Nothing here says how late the host may be. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/sched/clock.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>

#define READS	100000

static void clock_never_goes_back(struct kunit *test)
{
	u64 last = ktime_get_ns(), last_sched = sched_clock();
	unsigned int back = 0;
	int i;

	for (i = 0; i < READS; i++) {
		u64 now = ktime_get_ns(), sched = sched_clock();

		back += now < last || sched < last_sched;
		last = now;
		last_sched = sched;
	}
	KUNIT_EXPECT_EQ(test, back, 0);
	/* Since the boot of this kernel, which takes no hour. */
	KUNIT_EXPECT_LT(test, last_sched, 3600ULL * NSEC_PER_SEC);
}

static void clocks_advance_together(struct kunit *test)
{
	u64 mono = ktime_get_ns(), real = ktime_get_real_ns(), raw = ktime_get_raw_ns();

	msleep(20);
	mono = ktime_get_ns() - mono;
	real = ktime_get_real_ns() - real;
	raw = ktime_get_raw_ns() - raw;
	/* The three are read one after the other: the host may stop us in between. */
	KUNIT_EXPECT_GE(test, mono, 20 * NSEC_PER_MSEC);
	KUNIT_EXPECT_GE(test, real, 20 * NSEC_PER_MSEC);
	KUNIT_EXPECT_GE(test, raw, 19 * NSEC_PER_MSEC);
}

static void delays_are_not_short(struct kunit *test)
{
	static const unsigned int nsecs[] = { 100, 1000, 20000 };
	u64 start;
	int i;

	for (i = 0; i < ARRAY_SIZE(nsecs); i++) {
		start = ktime_get_ns();
		ndelay(nsecs[i]);
		KUNIT_EXPECT_GE(test, ktime_get_ns() - start, nsecs[i]);
	}
	start = ktime_get_ns();
	udelay(50);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 50 * NSEC_PER_USEC);
	start = ktime_get_ns();
	mdelay(2);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 2 * NSEC_PER_MSEC);
}

struct alarm {
	struct hrtimer timer;
	struct completion fired;
	u64 when;
};

static enum hrtimer_restart ring(struct hrtimer *timer)
{
	struct alarm *alarm = container_of(timer, struct alarm, timer);

	alarm->when = ktime_get_ns();
	complete(&alarm->fired);
	return HRTIMER_NORESTART;
}

static void hrtimers_fire_in_time_and_in_order(struct kunit *test)
{
	static const u64 after[] = { 5 * NSEC_PER_MSEC, 300 * NSEC_PER_USEC, 2 * NSEC_PER_MSEC };
	struct alarm *alarms = kunit_kcalloc(test, ARRAY_SIZE(after), sizeof(*alarms), GFP_KERNEL);
	unsigned long flags;
	u64 start;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, alarms);
	/* None may fire before all are there, however long the host holds this up. */
	local_irq_save(flags);
	start = ktime_get_ns();
	for (i = 0; i < ARRAY_SIZE(after); i++) {
		init_completion(&alarms[i].fired);
		hrtimer_init(&alarms[i].timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
		alarms[i].timer.function = ring;
		hrtimer_start(&alarms[i].timer, start + after[i], HRTIMER_MODE_ABS);
	}
	local_irq_restore(flags);
	for (i = 0; i < ARRAY_SIZE(after); i++) {
		unsigned long left = wait_for_completion_timeout(&alarms[i].fired, 10 * HZ);

		if (!left)
			hrtimer_cancel(&alarms[i].timer);
		KUNIT_ASSERT_NE(test, left, 0);
		KUNIT_EXPECT_GE(test, alarms[i].when, start + after[i]);
	}
	KUNIT_EXPECT_LE(test, alarms[1].when, alarms[2].when);
	KUNIT_EXPECT_LE(test, alarms[2].when, alarms[0].when);
}

static void sleeps_shorter_than_a_tick(struct kunit *test)
{
	u64 start = ktime_get_ns(), least = U64_MAX;
	int i;

	/* Of many, one at least is not held up by the host. */
	for (i = 0; i < 50; i++) {
		u64 slept;

		start = ktime_get_ns();
		usleep_range(100, 150);
		slept = ktime_get_ns() - start;
		KUNIT_EXPECT_GE(test, slept, 100 * NSEC_PER_USEC);
		least = min(least, slept);
	}
	KUNIT_EXPECT_LT(test, least, (u64)NSEC_PER_SEC / HZ);
}

static void cancelled_timer_stays_silent(struct kunit *test)
{
	struct alarm *alarm = kunit_kzalloc(test, sizeof(*alarm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, alarm);
	init_completion(&alarm->fired);
	hrtimer_init(&alarm->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	alarm->timer.function = ring;
	hrtimer_start(&alarm->timer, 20 * NSEC_PER_MSEC, HRTIMER_MODE_REL);
	KUNIT_EXPECT_EQ(test, hrtimer_cancel(&alarm->timer), 1);
	msleep(40);
	KUNIT_EXPECT_FALSE(test, completion_done(&alarm->fired));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(clock_never_goes_back),
	KUNIT_CASE(clocks_advance_together),
	KUNIT_CASE(delays_are_not_short),
	KUNIT_CASE(hrtimers_fire_in_time_and_in_order),
	KUNIT_CASE(sleeps_shorter_than_a_tick),
	KUNIT_CASE(cancelled_timer_stays_silent),
	{}
};

static struct kunit_suite suite = {
	.name = "lkl_time",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of clock and timers");
MODULE_LICENSE("GPL");
