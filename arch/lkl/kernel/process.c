// SPDX-License-Identifier: GPL-2.0
/* Making and describing tasks. */
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <asm/lkl.h>

/* What __lkl_switch_to() pops from a new fiber's stack, lowest address first. */
struct new_fiber {
	unsigned long r15, r14, r13, r12, rbx, rbp;
	unsigned long ip;
};

int copy_thread(struct task_struct *p, const struct kernel_clone_args *args)
{
	struct lkl_stack_top *top =
		lkl_stack_top_of((unsigned long)task_stack_page(p));
	/* Popped, it leaves the stack pointer at top, which is aligned. */
	struct new_fiber *fiber = (struct new_fiber *)top - 1;

	memset(top, 0, sizeof(*top));
	top->task = p;

	memset(fiber, 0, sizeof(*fiber));
	fiber->ip = (unsigned long)lkl_ret_from_fork;
	if (args->fn) {
		fiber->rbx = (unsigned long)args->fn;
		fiber->r12 = (unsigned long)args->fn_arg;
	}

	memset(&p->thread, 0, sizeof(p->thread));
	p->thread.sp = (unsigned long)fiber;
	if (!args->fn && (args->flags & CLONE_SETTLS))
		p->thread.host = (struct lkl_thread *)args->tls;
	return 0;
}

unsigned long __get_wchan(struct task_struct *task)
{
	return 0;
}

void start_thread(struct pt_regs *regs, unsigned long pc, unsigned long sp)
{
}

void ptrace_disable(struct task_struct *child)
{
}

long arch_ptrace(struct task_struct *child, long request,
		 unsigned long addr, unsigned long data)
{
	return -EIO;
}
