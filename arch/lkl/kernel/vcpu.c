// SPDX-License-Identifier: GPL-2.0
/*
 * The host's side of the virtual CPU: entering and leaving the kernel.
 *
 * Out of the image, the scheduler's current is in one of two states:
 *
 *   lkl_vcpu.user != 0	the current task is an application thread's, and the
 *			thread is out of the kernel.  Its kernel stack is empty:
 *			to go on means to call a function on it.
 *   lkl_vcpu.user == 0	a fiber is suspended in lkl_suspend(), in practice the
 *			idle task.  To go on means to resume it.
 *
 * A task whose thread is out of the kernel stays current as long as nobody else
 * needs the vCPU, so that its next system call is a plain call.  Once another
 * thread comes, lkl_user_off() takes it off the vCPU.
 */
#include <linux/cpu.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <asm/lkl.h>

static void add_entry(struct lkl_thread *thread)
{
	struct lkl_thread *head = __atomic_load_n(&lkl_vcpu.entries, __ATOMIC_RELAXED);

	do {
		thread->next = head;
	} while (!__atomic_compare_exchange_n(&lkl_vcpu.entries, &head, thread, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	__atomic_fetch_or(&lkl_vcpu.pending, BIT(LKL_IRQ_ENTRY), __ATOMIC_SEQ_CST);
}

long lkl_enter(struct lkl_thread *thread)
{
	if (likely(lkl_vcpu.user == thread && thread->request == LKL_REQ_SYSCALL)) {
		lkl_vcpu.carrier = thread;
		lkl_vcpu.user = NULL;
		return lkl_call_on_stack(thread->stack_top, lkl_user_syscall, thread);
	}
	add_entry(thread);
	return lkl_run(thread);
}

long lkl_run(struct lkl_thread *carrier)
{
	struct lkl_thread *user = lkl_vcpu.user;

	lkl_vcpu.carrier = carrier;
	if (!user)
		return lkl_resume();
	lkl_vcpu.user = NULL;
	return lkl_call_on_stack(user->stack_top, lkl_user_off, user);
}

/*
 * A host that follows stacks (lkl_host_ops.fiber_switch) gets these entries in
 * place of the plain ones, so that a call pays nothing for the others.
 */
void lkl_announce_stack(unsigned long sp)
{
	host_call(fiber_switch, sp & ~(LKL_STACK_SIZE - 1UL));
}

static void announce_next(void)
{
	struct lkl_thread *user = lkl_vcpu.user;

	lkl_announce_stack(user ? user->stack_top : lkl_vcpu.fiber_sp);
}

long lkl_enter_announced(struct lkl_thread *thread)
{
	long reason;

	announce_next();
	reason = lkl_enter(thread);
	lkl_announce_stack(0);
	return reason;
}

long lkl_run_announced(struct lkl_thread *carrier)
{
	long reason;

	announce_next();
	reason = lkl_run(carrier);
	lkl_announce_stack(0);
	return reason;
}

/* LKL_IRQ_ENTRY: wake the tasks of threads that want in. */
void lkl_take_entries(void)
{
	struct lkl_thread *thread, *next, *order = NULL;

	thread = __atomic_exchange_n(&lkl_vcpu.entries, NULL, __ATOMIC_ACQUIRE);
	/* First come, first served. */
	for (; thread; thread = next) {
		next = thread->next;
		thread->next = order;
		order = thread;
	}
	for (thread = order; thread; thread = next) {
		next = thread->next;
		if (thread->task) {
			thread->accepted = 1;
			wake_up_process(thread->task);
		} else {
			lkl_init_spawn(thread);
		}
	}
}

void arch_cpu_idle(void)
{
	if (!lkl_irq_pending())
		lkl_suspend(LKL_EXIT_IDLE);
	raw_local_irq_enable();
	raw_local_irq_disable();
}
