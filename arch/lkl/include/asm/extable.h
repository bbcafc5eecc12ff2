/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_EXTABLE_H
#define _ASM_LKL_EXTABLE_H

#ifdef __ASSEMBLY__

#define _ASM_EXTABLE(from, to)			\
	.pushsection __ex_table, "a";		\
	.balign 4;				\
	.long (from) - .;			\
	.long (to) - .;				\
	.popsection

#else

/* Where to go on when the instruction at "insn" faults, as distances, so that
 * the table needs no relocation.
 */
struct exception_table_entry {
	int insn, fixup;
};

#define ARCH_HAS_RELATIVE_EXTABLE

#define swap_ex_entry_fixup(a, b, tmp, delta)		\
do {							\
	(a)->fixup = (b)->fixup + (delta);		\
	(b)->fixup = (tmp).fixup - (delta);		\
} while (0)

#define _ASM_EXTABLE(from, to)				\
	".pushsection __ex_table, \"a\"\n"		\
	".balign 4\n"					\
	".long (" #from ") - .\n"			\
	".long (" #to ") - .\n"				\
	".popsection\n"

#endif
#endif
