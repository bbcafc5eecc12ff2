// SPDX-License-Identifier: GPL-2.0
/* The kernel log, handed to the host as it is written. */
#include <linux/console.h>
#include <linux/init.h>
#include <linux/string.h>
#include <asm/lkl.h>
#include <asm/setup.h>

static void lkl_console_write(struct console *con, const char *text, unsigned int length)
{
	host_call(print, text, length);
}

static struct console lkl_console = {
	.name	= "lkl",
	.write	= lkl_console_write,
	.flags	= CON_PRINTBUFFER | CON_ANYTIME | CON_ENABLED,
	.index	= -1,
};

/*
 * A host that wants levels says so on the command line.  That has been read when the
 * kernel calls console_init(), and not before: the first messages would come without
 * theirs.  The console that is registered late is given them all the same.
 */
static bool __init wants_levels(void)
{
	return strstr(boot_command_line, "console_msg_format=syslog");
}

/* A host that does not listen costs no time: the log stays readable by syslog(2). */
void __init lkl_console_init(void)
{
	if (lkl_host.print && !wants_levels())
		register_console(&lkl_console);
}

static int __init console_with_levels(void)
{
	if (lkl_host.print && wants_levels())
		register_console(&lkl_console);
	return 0;
}
console_initcall(console_with_levels);
