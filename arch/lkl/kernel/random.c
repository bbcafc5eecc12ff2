// SPDX-License-Identifier: GPL-2.0
/* The host's entropy, see asm/archrandom.h. */
#include <linux/jiffies.h>
#include <linux/kallsyms.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <asm/archrandom.h>
#include <asm/lkl.h>

/*
 * The random number generator takes a new seed every minute, and more often in the
 * first two.  Nobody needs that of an idle kernel, which it would wake: its timer
 * waits until something else does.  The generator asks us for entropy right after it
 * has set the timer, and from the second time on in the timer's own work item.
 */
static void defer_reseed(void)
{
	struct work_struct *work = current_work();
	char name[KSYM_SYMBOL_LEN];
	struct delayed_work *dwork;
	unsigned long now = jiffies, expires;

	if (!work)
		return;
	sprint_symbol_no_offset(name, (unsigned long)work->func);
	if (strcmp(name, "crng_reseed"))
		return;
	dwork = to_delayed_work(work);
	if (dwork->timer.flags & TIMER_DEFERRABLE)
		return;
	expires = dwork->timer.expires;
	/* A timer's flags may change only while it is not set. */
	if (!cancel_delayed_work(dwork))
		return;
	dwork->timer.flags |= TIMER_DEFERRABLE;
	queue_delayed_work(system_unbound_wq, dwork,
			   time_after(expires, now) ? expires - now : 0);
}

void lkl_random(void *buffer, size_t length)
{
	host_call(random, buffer, length);
	defer_reseed();
}
