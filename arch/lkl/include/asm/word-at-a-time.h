/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_WORD_AT_A_TIME_H
#define _ASM_LKL_WORD_AT_A_TIME_H

#include <linux/bitops.h>
#include <linux/wordpart.h>

/* Little-endian words: the first zero byte is found from the lowest set bit. */

struct word_at_a_time {
	const unsigned long one_bits, high_bits;
};

#define WORD_AT_A_TIME_CONSTANTS { REPEAT_BYTE(0x01), REPEAT_BYTE(0x80) }

static inline unsigned long has_zero(unsigned long a, unsigned long *bits,
				     const struct word_at_a_time *c)
{
	unsigned long mask = ((a - c->one_bits) & ~a) & c->high_bits;

	*bits = mask;
	return mask;
}

static inline unsigned long prep_zero_mask(unsigned long a, unsigned long bits,
					   const struct word_at_a_time *c)
{
	return bits;
}

static inline unsigned long create_zero_mask(unsigned long bits)
{
	bits = (bits - 1) & ~bits;
	return bits >> 7;
}

#define zero_bytemask(mask)	(mask)

static inline unsigned long find_zero(unsigned long mask)
{
	return fls64(mask) >> 3;
}

/*
 * A word that may reach past the end of its page.  The names compared this way
 * lie in the linear mapping, whose next page is there, and the host leaves a
 * readable page behind the last one (lkl_boot_info.memory_end).
 */
static inline unsigned long load_unaligned_zeropad(const void *addr)
{
	unsigned long word;

	/* Not a plain load: KASAN would see that it reaches past the name. */
	asm("mov %1,%0" : "=r" (word) : "m" (*(const unsigned long *)addr));
	return word;
}

#endif
