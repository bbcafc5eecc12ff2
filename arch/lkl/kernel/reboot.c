// SPDX-License-Identifier: GPL-2.0
/* The end of a kernel: reboot(2) and panic(). */
#include <linux/debug_locks.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kmsg_dump.h>
#include <linux/notifier.h>
#include <linux/panic.h>
#include <linux/reboot.h>
#include <linux/init.h>
#include <linux/string.h>
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

/*
 * Elsewhere, files of programs are closed before the end.  Here the programs live on, and
 * sync(2) of the host's halt is not enough: it does not wait for servers of FUSE, whose
 * pages count as written when the request is on its way (fuse_writepages()).  fsync(2)
 * does.
 */
static int write_files_back(struct notifier_block *block, unsigned long event, void *command)
{
	unsigned int fd, end;

	rcu_read_lock();
	end = files_fdtable(current->files)->max_fds;
	rcu_read_unlock();
	for (fd = 0; fd < end; fd++) {
		struct file *file = fget(fd);

		if (!file)
			continue;
		if (file->f_mode & FMODE_WRITE)
			vfs_fsync(file, 0);
		fput(file);
	}
	return NOTIFY_DONE;
}

static struct notifier_block file_notifier = { .notifier_call = write_files_back };

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
	return register_reboot_notifier(&file_notifier) ?: kmsg_dump_register(&dumper);
}
early_initcall(register_notifiers);
