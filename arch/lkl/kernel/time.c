// SPDX-License-Identifier: GPL-2.0
/* The host's clock and timer, in nanoseconds. */
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/sched/clock.h>
#include <linux/timekeeping.h>
#include <asm/lkl.h>

static u64 clock_read(struct clocksource *cs)
{
	return host_call(clock_monotonic);
}

/* A cycle is a nanosecond; NTP's corrections are multiples of one in 1 << shift. */
static struct clocksource lkl_clocksource = {
	.name	= "lkl",
	.rating	= 499,
	.read	= clock_read,
	.mask	= CLOCKSOURCE_MASK(64),
	.shift	= 22,
	.mult	= 1 << 22,
	.flags	= CLOCK_SOURCE_IS_CONTINUOUS,
};

/* From the first: jiffies stand still while the kernel boots, and so would the date. */
struct clocksource * __init clocksource_default_clock(void)
{
	return &lkl_clocksource;
}

static u64 boot_time;

void __init lkl_clock_init(void)
{
	boot_time = host_call(clock_monotonic);
}

unsigned long long notrace sched_clock(void)
{
	/* From 0: the log shows it. */
	return host_call(clock_monotonic) - boot_time;
}

void read_persistent_clock64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(host_call(clock_realtime));
}

/*
 * CLOCK_MONOTONIC and CLOCK_BOOTTIME are the host's CLOCK_MONOTONIC, not times
 * since a start: a program may hand over to one kernel what the other told it
 * (absolute timeouts, SCM_TXTIME).  Nor may they be near 0, where Linux takes
 * what never happened for what happened just now: for its first 20 ms WireGuard
 * sees an attack in each handshake, see wg_noise_handshake_consume_initiation().
 */
void __init read_persistent_wall_and_boot_offset(struct timespec64 *wall_time,
						 struct timespec64 *boot_offset)
{
	read_persistent_clock64(wall_time);
	*boot_offset = ns_to_timespec64(host_call(clock_monotonic));
}

static int set_next_event(unsigned long delta, struct clock_event_device *evt)
{
	u64 now = host_call(clock_monotonic);

	host_call(timer_arm, now + delta);
	return 0;
}

static int shutdown(struct clock_event_device *evt)
{
	host_call(timer_arm, ~0UL);
	return 0;
}

static struct clock_event_device lkl_clockevent = {
	.name			= "lkl",
	.rating			= 499,
	.features		= CLOCK_EVT_FEAT_ONESHOT,
	.set_next_event		= set_next_event,
	.set_state_shutdown	= shutdown,
	.set_state_oneshot_stopped = shutdown,
};

void lkl_timer_interrupt(void)
{
	lkl_clockevent.event_handler(&lkl_clockevent);
}

void __init time_init(void)
{
	__clocksource_register(&lkl_clocksource);
	lkl_clockevent.cpumask = cpumask_of(0);
	clockevents_config_and_register(&lkl_clockevent, NSEC_PER_SEC, 1, LONG_MAX);
}

/*
 * Timers of high resolution are switched to in a tick, once the clock source is
 * final.  A kernel that boots between two ticks, and has none while idle, would
 * hand the first sleeps of its program over to jiffies.
 */
static int __init use_high_resolution(void)
{
	local_irq_disable();
	hrtimer_run_queues();
	local_irq_enable();
	return 0;
}
late_initcall(use_high_resolution);

void __ndelay(unsigned long nsecs)
{
	unsigned long end = host_call(clock_monotonic) + nsecs;

	while (host_call(clock_monotonic) < end)
		cpu_relax();
}

void __udelay(unsigned long usecs)
{
	__ndelay(usecs * NSEC_PER_USEC);
}

/* A loop is a nanosecond, see calibrate_delay(). */
void __delay(unsigned long loops)
{
	__ndelay(loops);
}

void __const_udelay(unsigned long xloops)
{
	/* xloops is 2**32 / 1000000 for a microsecond. */
	__ndelay((xloops * 1000) / 0x10c7UL);
}
