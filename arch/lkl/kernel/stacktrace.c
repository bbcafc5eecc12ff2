// SPDX-License-Identifier: GPL-2.0
/* Walking stacks for people, and the table of expected faults. */
#include <linux/extable.h>
#include <linux/kallsyms.h>
#include <linux/kfence.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>
#include <asm/lkl.h>
#include <asm/sections.h>

/*
 * Frame pointers are not kept: every word of the stack that points into code
 * is taken for a return address.
 */
void arch_stack_walk(stack_trace_consume_fn consume, void *cookie,
		     struct task_struct *task, struct pt_regs *regs)
{
	unsigned long sp, end, *word;

	if (task && task != current)
		sp = task->thread.sp;
	else
		sp = (unsigned long)__builtin_frame_address(0);
	end = (unsigned long)lkl_stack_top_of(sp);
	for (word = (unsigned long *)ALIGN(sp, sizeof(long)); (unsigned long)word < end; word++) {
		if (kernel_text_address(*word) && !consume(cookie, *word))
			break;
	}
}

static bool print_entry(void *loglvl, unsigned long addr)
{
	printk("%s [<%px>] %pS\n", (const char *)loglvl, (void *)addr, (void *)addr);
	return true;
}

void show_stack(struct task_struct *task, unsigned long *sp, const char *loglvl)
{
	printk("%sCall Trace:\n", loglvl);
	arch_stack_walk(print_entry, (void *)loglvl, task, NULL);
}

void show_regs(struct pt_regs *regs)
{
	show_regs_print_info(KERN_DEFAULT);
	show_stack(NULL, NULL, KERN_DEFAULT);
}

void lkl_oops(unsigned long address, unsigned long ip)
{
	static bool reporting;

	if (reporting)
		lkl_double_fault(address, ip);
	reporting = true;
	/* Whatever held this lock will not let go of it any more. */
	bust_spinlocks(1);
	/* Says what was freed or overrun.  Nothing goes on after a fault, though. */
	if (kfence_handle_page_fault(address, false, NULL))
		panic("KFENCE");
	pr_alert("unable to handle access to %016lx at %pS\n", address, (void *)ip);
	show_stack(NULL, NULL, KERN_DEFAULT);
	panic("Fatal exception");
}

/*
 * Called by the host's signal handler, on whose stack there is no task: not by
 * search_exception_tables(), which asks for the task when it tells its coverage.
 */
unsigned long lkl_fixup(unsigned long ip)
{
	const struct exception_table_entry *e;

	for (e = __start___ex_table; e < __stop___ex_table; e++) {
		if ((unsigned long)&e->insn + e->insn == ip)
			return (unsigned long)&e->fixup + e->fixup;
	}
	return 0;
}
