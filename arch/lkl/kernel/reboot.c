// SPDX-License-Identifier: GPL-2.0
/* The end of a kernel: reboot(2) and panic(). */
#include <linux/backing-dev.h>
#include <linux/debug_locks.h>
#include <linux/errseq.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kmsg_dump.h>
#include <linux/magic.h>
#include <linux/notifier.h>
#include <linux/panic.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/init.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>
#include <asm/lkl.h>

static void __noreturn die(enum lkl_death why, const char *text, size_t length)
{
	host_call(dead, why, text, length);
	for (;;)
		lkl_suspend(LKL_EXIT_DEAD);
}

static char last_words[4096];

/* The host is told what the log says last, behind a first line, then nothing runs any
 * more.
 */
static void __noreturn die_with_log(size_t length)
{
	struct kmsg_dump_iter iter;
	size_t log = 0;

	kmsg_dump_rewind(&iter);
	kmsg_dump_get_buffer(&iter, false, last_words + length, sizeof(last_words) - length,
			     &log);
	die(LKL_DEATH_PANIC, last_words, length + log);
}

/* Reports that nothing but the log remembers, by a part of their first line. */
static const char * const reports[] = {
	"suspicious RCU usage",
	"pagealloc: memory corruption",
	"pagealloc: single bit error",
};

static bool in_log(void)
{
	struct kmsg_dump_iter iter;
	static char line[256];
	size_t length, i;

	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, sizeof(line) - 1, &length)) {
		line[length] = '\0';
		for (i = 0; i < ARRAY_SIZE(reports); i++) {
			if (strstr(line, reports[i]))
				return true;
		}
	}
	return false;
}

/* A checker that has reported something and let the kernel go on. */
static const char *complaint(void)
{
	if (!IS_ENABLED(CONFIG_LKL_HALT_REPORTS))
		return NULL;
	if (IS_ENABLED(CONFIG_LOCKDEP) && !debug_locks)
		return "lockdep";
	if (test_taint(TAINT_WARN))
		return "a warning";
	if (test_taint(TAINT_BAD_PAGE))
		return "a bad access to memory";
	if (in_log())
		return "a checker";
	return NULL;
}

static void __noreturn halt(void)
{
	const char *who = complaint();

	if (!who)
		die(LKL_DEATH_HALT, NULL, 0);
	die_with_log(scnprintf(last_words, sizeof(last_words),
			       "halted after a report of %s, see the log\n", who));
}

void machine_restart(char *cmd)
{
	halt();
}

void machine_halt(void)
{
	halt();
}

void machine_power_off(void)
{
	halt();
}

/* What nobody has been told: sync(2) returns no error, and not each file system logs it. */
static void log_loss(struct super_block *sb, void *unused)
{
	int error = errseq_check(&sb->s_wb_err, errseq_sample(&sb->s_wb_err));

	if (error)
		pr_err("lkl: %s (%s): not all is written back: %pe\n", sb->s_type->name,
		       sb->s_id, ERR_PTR(error));
}

/*
 * A server of FUSE is often a thread of the program that ends its kernel, and may have ended
 * before, or wait for the end itself.  One that lives takes much less for a request, which is
 * of 1 MiB at most.
 */
#define ANSWER_SECONDS 10

/* What servers have written, in all; and since when that has not changed. */
static s64 answered;
static unsigned long answered_at;

static void count_answered(struct super_block *sb, void *sum)
{
	if (sb->s_magic == FUSE_SUPER_MAGIC)
		*(s64 *)sum += wb_stat_sum(&sb->s_bdi->wb, WB_WRITTEN);
}

/* As umount2(MNT_FORCE), where something is to be written back: pages, or an inode. */
static void give_up(struct super_block *sb, void *unused)
{
	struct bdi_writeback *wb = &sb->s_bdi->wb;

	if (sb->s_magic != FUSE_SUPER_MAGIC ||
	    (!writeback_in_progress(wb) && wb_stat_sum(wb, WB_WRITEBACK) <= 0))
		return;
	pr_err("lkl: %s (%s): not answered for %d s, given up\n", sb->s_type->name, sb->s_id,
	       ANSWER_SECONDS);
	sb->s_op->umount_begin(sb);
}

static void watch_servers(struct work_struct *work)
{
	s64 sum = 0;

	iterate_supers(count_answered, &sum);
	if (sum != answered) {
		answered = sum;
		answered_at = jiffies;
	} else if (time_after_eq(jiffies, answered_at + ANSWER_SECONDS * HZ)) {
		iterate_supers(give_up, NULL);
	}
	schedule_delayed_work(to_delayed_work(work), HZ);
}

static DECLARE_DELAYED_WORK(watch, watch_servers);

/*
 * Elsewhere, what is mounted is unmounted before the end.  One sync(2) is not as much: of
 * FUSE it waits for attributes, but not for pages that are on their way to the server, and
 * it goes through file systems by their age, so that what one on a loop device has written
 * may lie in another one that it has been through.  What cannot be written stays dirty, and
 * programs may go on to write: not for ever, therefore.  reboot(2) for a restart writes
 * nothing back, as everywhere.
 */
static int write_back(struct notifier_block *block, unsigned long event, void *command)
{
	int rounds = event == SYS_RESTART ? 0 : 8;

	answered_at = jiffies;
	if (rounds)
		schedule_delayed_work(&watch, HZ);
	while (rounds-- > 0) {
		ksys_sync();
		if (!global_node_page_state(NR_WRITEBACK_TEMP) &&
		    !global_node_page_state(NR_FILE_DIRTY))
			break;
		while (global_node_page_state(NR_WRITEBACK_TEMP))
			schedule_timeout_uninterruptible(1);
	}
	cancel_delayed_work_sync(&watch);
	iterate_supers(log_loss, NULL);
	return NOTIFY_DONE;
}

/* Before what takes devices away. */
static struct notifier_block write_back_notifier = {
	.notifier_call	= write_back,
	.priority	= INT_MAX,
};

static void dump(struct kmsg_dumper *dumper, struct kmsg_dump_detail *detail)
{
	die_with_log(0);
}

/*
 * A fault while another one is reported: nothing that panic() would touch can be
 * relied on.  What the log holds lies in the image; if that is gone too, the host
 * is told without it.
 */
void __noreturn lkl_double_fault(unsigned long address, unsigned long ip)
{
	static size_t length;
	static bool tried;

	if (tried)
		die(LKL_DEATH_PANIC, last_words, length);
	tried = true;
	length = scnprintf(last_words, sizeof(last_words),
			   "fault at %016lx in %pS while another one was reported\n",
			   address, (void *)ip);
	die_with_log(length);
}

static struct kmsg_dumper dumper = {
	.dump		= dump,
	.max_reason	= KMSG_DUMP_PANIC,
};

static int __init register_notifiers(void)
{
	return register_reboot_notifier(&write_back_notifier) ?: kmsg_dump_register(&dumper);
}
early_initcall(register_notifiers);
