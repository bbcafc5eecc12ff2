// SPDX-License-Identifier: GPL-2.0
/* The kernel log, handed to the host as it is written. */
#include <linux/console.h>
#include <linux/init.h>
#include <asm/lkl.h>

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

/* A host that does not listen costs no time: the log stays readable by syslog(2). */
void __init lkl_console_init(void)
{
	if (lkl_host.print)
		register_console(&lkl_console);
}
