// SPDX-License-Identifier: GPL-2.0
/* The end of a kernel: reboot(2) and panic(). */
#include <linux/kmsg_dump.h>
#include <linux/reboot.h>
#include <linux/init.h>
#include <asm/lkl.h>

static void __noreturn die(enum lkl_death why, const char *text, size_t length)
{
	host_call(dead, why, text, length);
	for (;;)
		lkl_suspend(LKL_EXIT_DEAD);
}

void machine_restart(char *cmd)
{
	die(LKL_DEATH_HALT, NULL, 0);
}

void machine_halt(void)
{
	die(LKL_DEATH_HALT, NULL, 0);
}

void machine_power_off(void)
{
	die(LKL_DEATH_HALT, NULL, 0);
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

static int __init register_dumper(void)
{
	return kmsg_dump_register(&dumper);
}
early_initcall(register_dumper);
