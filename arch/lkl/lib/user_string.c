// SPDX-License-Identifier: GPL-2.0
/*
 * Strings of the program.  lib/strncpy_from_user.c reads words across the end of a
 * string, and copies bytes where that faults.  Here a fault is for a program that has
 * opted in to the handler; others must be able to end a string where their memory ends.
 * strnlen_user() reads aligned words, which lie in a page as a whole.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

long strncpy_from_user(char *dst, const char __user *src, long count)
{
	long size;

	if (unlikely(count <= 0))
		return 0;
	size = strnlen_user(src, count);
	if (unlikely(!size || copy_from_user(dst, src, min(size, count))))
		return -EFAULT;
	if (unlikely(size > count))
		return count;
	/* Another thread may have written to it meanwhile. */
	dst[size - 1] = 0;
	return size - 1;
}
EXPORT_SYMBOL(strncpy_from_user);
