/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Three segments: code shared from the file; data that is constant once it is
 * relocated and the kernel initialised; other data.  The ELF header is the first
 * page, at physical address 0.
 *
 * Nearly every page of data is written to while the kernel starts.  It begins with
 * a block, so that the host may have it in large pages, as it has memory.
 */
#define RUNTIME_DISCARD_EXIT
#define RO_EXCEPTION_TABLE_ALIGN	16

#include <asm-generic/vmlinux.lds.h>
#include <asm/page.h>
#include <asm/thread_info.h>

#define BLOCK_SIZE	0x200000	/* LKL_BLOCK_SIZE */

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(lkl_entry)

jiffies = jiffies_64;

PHDRS {
	text PT_LOAD FILEHDR PHDRS FLAGS(5);
	rodata PT_LOAD FLAGS(6);
	data PT_LOAD FLAGS(6);
	dynamic PT_DYNAMIC FLAGS(4);
	note PT_NOTE FLAGS(4);
}

SECTIONS
{
	PROVIDE_HIDDEN(__lkl_image = .);
	. = SIZEOF_HEADERS;
	. = ALIGN(PAGE_SIZE);

	.text : {
		_text = .;
		_stext = .;
		TEXT_TEXT
		SCHED_TEXT
		LOCK_TEXT
		KPROBES_TEXT
		IRQENTRY_TEXT
		SOFTIRQENTRY_TEXT
		*(.text.fixup)
		*(.text.*)
		_etext = .;
	} :text
	.init.text : {
		_sinittext = .;
		INIT_TEXT
		_einittext = .;
	} :text
	.exit.text : { EXIT_TEXT } :text

	. = ALIGN(BLOCK_SIZE);
	.note.LKL : { KEEP(*(.note.LKL)) } :rodata :note
	.dynsym : { *(.dynsym) } :rodata
	.dynstr : { *(.dynstr) }
	.gnu.hash : { *(.gnu.hash) }
	.rela.dyn : { *(.rela*) }
	.relr.dyn : { *(.relr*) }
	RO_DATA(PAGE_SIZE)
	.dynamic : { *(.dynamic) } :rodata :dynamic
	.got : { *(.got) *(.got.plt) } :rodata
	/* Of switch.S, for debuggers; what compilers write has .debug_frame. */
	.eh_frame : { *(.eh_frame) }

	. = ALIGN(PAGE_SIZE);
	__init_begin = .;
	INIT_DATA_SECTION(16) :data
	.exit.data : { EXIT_DATA }
	PERCPU_SECTION(64)
	. = ALIGN(PAGE_SIZE);
	__init_end = .;

	_sdata = .;
	RW_DATA(64, PAGE_SIZE, THREAD_SIZE)
	/* Where compilers put data with addresses in it, for code that has no address. */
	.data.rel : { *(.data.rel .data.rel.[a-z]*) }
	_edata = .;

	BSS_SECTION(PAGE_SIZE, PAGE_SIZE, PAGE_SIZE)
	. = ALIGN(PAGE_SIZE);
	_end = .;

	STABS_DEBUG
	DWARF_DEBUG
	ELF_DETAILS

	.plt : { *(.plt) *(.plt.*) *(.iplt) }
	ASSERT(SIZEOF(.plt) == 0, "calls by a linkage table")

	DISCARDS
	/DISCARD/ : { *(.sframe) }
}
