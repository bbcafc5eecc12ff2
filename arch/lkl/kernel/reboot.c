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

/* The host is told what the log says last, then nothing runs any more. */
static void dump(struct kmsg_dumper *dumper, struct kmsg_dump_detail *detail)
{
	static char text[4096];
	struct kmsg_dump_iter iter;
	size_t length = 0;

	kmsg_dump_rewind(&iter);
	kmsg_dump_get_buffer(&iter, false, text, sizeof(text), &length);
	die(LKL_DEATH_PANIC, text, length);
}

/*
 * A fault while another one is reported: nothing that panic() would touch can be
 * relied on.  What the log holds lies in the image; if that is gone too, the host
 * is told without a text.
 */
void __noreturn lkl_double_fault(unsigned long address, unsigned long ip)
{
	static char text[4096];
	static bool tried;
	struct kmsg_dump_iter iter;
	size_t length = 0, tail;

	if (tried)
		die(LKL_DEATH_PANIC, text, strnlen(text, sizeof(text)));
	tried = true;
	scnprintf(text, sizeof(text),
		  "fault at %016lx in %pS while another one was reported\n",
		  address, (void *)ip);
	tail = strlen(text);
	kmsg_dump_rewind(&iter);
	kmsg_dump_get_buffer(&iter, false, text + tail, sizeof(text) - tail, &length);
	die(LKL_DEATH_PANIC, text, tail + length);
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
