// SPDX-License-Identifier: GPL-2.0
/*
 * Whole pages.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/page.h>

#include "lib.h"

/*
 * Out of line calls: with the length known, the compiler would put its own idea
 * of a copy in place, which is "rep movsq".
 */
void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}
EXPORT_SYMBOL(clear_page);

void copy_page(void *to, const void *from)
{
	memcpy(to, from, PAGE_SIZE);
}
EXPORT_SYMBOL(copy_page);
