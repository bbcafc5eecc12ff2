// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on purpose, one for each checker, for the test that none of them is
 * silent and that what it reports ends the kernel: "lkl_planted_report=NAME" on
 * the command line commits one at the end of the boot.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kfence.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

/* Reads and writes that the compiler knows nothing about. */
static void spoil(void *place)
{
	u8 *byte = place;

	OPTIMIZER_HIDE_VAR(byte);
	WRITE_ONCE(*byte, READ_ONCE(*byte) ^ 0xff);
}

static void __init plant_lockdep(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void __init plant_sleep(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

static void __init plant_rcu(void)
{
	static int __rcu *pointer;

	rcu_dereference(pointer);
}

struct planted_entry {
	struct list_head node;
};

static void __init plant_rcu_list(void)
{
	static LIST_HEAD(list);
	struct planted_entry *entry;

	list_for_each_entry_rcu(entry, &list, node)
		spoil(entry);
}

static void __init plant_list(void)
{
	LIST_HEAD(list);
	LIST_HEAD(entry);

	list_add(&entry, &list);
	list.next = NULL;
	list_del(&entry);
}

static void nothing(struct timer_list *timer)
{
}

static void __init plant_object(void)
{
	static struct timer_list timer;

	timer_setup(&timer, nothing, 0);
	mod_timer(&timer, jiffies + HZ * 1000);
	timer_setup(&timer, nothing, 0);
}

static void __init plant_slab(void)
{
	struct kmem_cache *cache = kmem_cache_create("planted", 40, 8, 0, NULL);
	u8 *object = kmem_cache_alloc(cache, GFP_KERNEL);

	spoil(object + 40);
	kmem_cache_free(cache, object);
	kmem_cache_destroy(cache);
}

static void __init plant_page(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL);

	free_page(page);
	spoil((void *)page);
	/* The last one that was given back is the next one that is had. */
	free_page(__get_free_page(GFP_KERNEL));
}

static void __init plant_vm(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	get_page(page);
}

static void __init plant_bounds(void)
{
	static int places[4];
	unsigned int index = 5;

	OPTIMIZER_HIDE_VAR(index);
	WRITE_ONCE(places[index], 1);
}

static void __init plant_shift(void)
{
	static unsigned int result;
	unsigned int by = 40;

	OPTIMIZER_HIDE_VAR(by);
	WRITE_ONCE(result, 1U << by);
}

static void __init plant_division(void)
{
	static unsigned int result;
	unsigned int by = 0;

	OPTIMIZER_HIDE_VAR(by);
	WRITE_ONCE(result, 1U / by);
}

static void __init plant_bool(void)
{
	static bool flag, copy;

	spoil(&flag);
	WRITE_ONCE(copy, READ_ONCE(flag));
}

static void __init plant_unreachable(void)
{
	bool there = true;

	OPTIMIZER_HIDE_VAR(there);
	if (there)
		unreachable();
}

/* KFENCE looks after an allocation now and then. */
static void __init plant_kfence(void)
{
	int i;

	for (i = 0; i < 5000; i++) {
		u8 *object = kmalloc(32, GFP_KERNEL);

		if (is_kfence_address(object)) {
			spoil(object + 32);
			spoil(object - 1);
			kfree(object);
			return;
		}
		kfree(object);
		usleep_range(500, 1000);
	}
}

static void __init plant_soft_lockup(void)
{
	unsigned long end = jiffies + 60 * HZ;

	preempt_disable();
	while (time_before(jiffies, end)) {
		/* Interrupts come when they are let in. */
		local_irq_disable();
		local_irq_enable();
	}
	preempt_enable();
}

static int sleep_for_good(void *unused)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
	return 0;
}

/* Found when the boot is over: its time-out is a sysctl. */
static void __init plant_hung_task(void)
{
	kthread_run(sleep_for_good, NULL, "planted");
}

struct planted_kind {
	const char *name;
	void (*plant)(void);
};

static const struct planted_kind kinds[] __initconst = {
	{ "lockdep", plant_lockdep },
	{ "sleep", plant_sleep },
	{ "rcu", plant_rcu },
	{ "rcu_list", plant_rcu_list },
	{ "list", plant_list },
	{ "object", plant_object },
	{ "slab", plant_slab },
	{ "page", plant_page },
	{ "vm", plant_vm },
	{ "bounds", plant_bounds },
	{ "shift", plant_shift },
	{ "division", plant_division },
	{ "bool", plant_bool },
	{ "unreachable", plant_unreachable },
	{ "kfence", plant_kfence },
	{ "soft_lockup", plant_soft_lockup },
	{ "hung_task", plant_hung_task },
};

static char *wanted __initdata;

static int __init planted_report_setup(char *name)
{
	wanted = name;
	return 1;
}
__setup("lkl_planted_report=", planted_report_setup);

static int __init planted_init(void)
{
	size_t i;

	for (i = 0; wanted && i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(wanted, kinds[i].name))
			kinds[i].plant();
	}
	return 0;
}
late_initcall_sync(planted_init);
