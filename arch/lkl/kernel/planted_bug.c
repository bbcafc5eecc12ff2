// SPDX-License-Identifier: GPL-2.0
/*
 * A defect on purpose, for the test that a fuzzer finds one: with "lkl_planted_bug" on
 * the command line, who writes the right four bytes to /proc/planted-bug follows a null
 * pointer.  Each byte is read and compared by itself, so that coverage leads from one
 * to the next; by chance alone it would take four thousand million attempts.
 */
#include <linux/init.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static int *planted;
static bool wanted __initdata;

static int __init planted_bug_setup(char *unused)
{
	wanted = true;
	return 1;
}
__setup("lkl_planted_bug", planted_bug_setup);

static ssize_t planted_write(struct file *file, const char __user *buf, size_t count,
			     loff_t *ppos)
{
	unsigned char text[4];

	if (count < sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, sizeof(text)))
		return -EFAULT;
	if (READ_ONCE(text[0]) != 'b')
		return -EINVAL;
	if (READ_ONCE(text[1]) != 'u')
		return -EINVAL;
	if (READ_ONCE(text[2]) != 'g')
		return -EINVAL;
	if (READ_ONCE(text[3]) != '!')
		return -EINVAL;
	WRITE_ONCE(*READ_ONCE(planted), 1);
	return count;
}

static const struct proc_ops planted_ops = {
	.proc_write	= planted_write,
};

static int __init planted_init(void)
{
	if (!wanted)
		return 0;
	return proc_create("planted-bug", 0200, NULL, &planted_ops) ? 0 : -ENOMEM;
}
late_initcall(planted_init);
