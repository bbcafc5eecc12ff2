// SPDX-License-Identifier: GPL-2.0
/*
 * The "user mode" of an application thread's task: out of the kernel, or on its
 * way in or out.  All of it runs on the task's kernel stack, on whichever host
 * thread carries the vCPU.  Only the home thread can return from a call: where
 * another one carries, it tells the home and goes on with other tasks.
 */
#include <linux/resume_user_mode.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/sched/task.h>
#include <asm/lkl.h>

/* The carrier is home and its call complete: back to the host. */
static __always_inline long leave(struct lkl_thread *thread)
{
	lkl_vcpu.user = thread;
	return likely(single_task_running()) ? LKL_EXIT_DONE : LKL_EXIT_DONE_MORE;
}

/*
 * Others became runnable while the vCPU was the carrier's.  They run now, on its
 * thread, as they would on any CPU before user mode goes on; who is not through
 * after one turn gets another carrier, so that the caller does not wait for it
 * (LKL_EXIT_DONE_MORE).  The carrier stays the same: with a runnable task the idle
 * task does not run, and it alone gives the vCPU up.
 */
static void let_others_run(void)
{
	lkl_vcpu.leaving = 1;
	yield();
	lkl_vcpu.leaving = 0;
}

/*
 * The request of a thread that does not carry is complete.  To wake the home takes
 * the host longer than most requests take, and the home could do nothing while we
 * hold the vCPU: it is told by the host after the release, or by lkl_tell_done().
 */
static void complete_elsewhere(struct lkl_thread *thread)
{
	thread->complete = 1;
	thread->next = lkl_vcpu.done;
	lkl_vcpu.done = thread;
}

/*
 * From here on somebody else runs.  Who is through is told now, unless the vCPU is
 * just about to be released.
 */
void lkl_tell_done(struct task_struct *next)
{
	struct lkl_thread *thread, *done = lkl_vcpu.done;

	if (is_idle_task(next) ||
	    (lkl_vcpu.leaving && next->thread.host == lkl_vcpu.carrier))
		return;
	lkl_vcpu.done = NULL;
	while ((thread = done)) {
		done = thread->next;
		host_call(thread_done, thread);
	}
}

long lkl_user_syscall(void *arg)
{
	struct lkl_thread *thread = arg;

	thread->ret = lkl_syscall(thread);
	if (likely(lkl_vcpu.carrier == thread)) {
		if (unlikely(!single_task_running()))
			let_others_run();
		return leave(thread);
	}
	complete_elsewhere(thread);
	return lkl_user_off(thread);
}

static void run_request(struct lkl_thread *thread)
{
	thread->accepted = 0;
	if (unlikely(thread->request == LKL_REQ_EXIT)) {
		current->thread.host = NULL;
		thread->task = NULL;
		if (lkl_vcpu.carrier == thread)
			lkl_vcpu.carrier = NULL;
		lkl_futex_exit();
		host_call(thread_done, thread);
		do_exit(0);
	}
	thread->ret = lkl_syscall(thread);
}

/*
 * Off the vCPU until the home thread asks for something.  Returns to the host
 * when the home thread carries and has no more to wait for.
 */
long lkl_user_off(void *arg)
{
	struct lkl_thread *thread = arg;

	for (;;) {
		lkl_irq_poll();
		if (thread->accepted) {
			run_request(thread);
			if (lkl_vcpu.carrier != thread) {
				complete_elsewhere(thread);
				continue;
			}
		}
		if (lkl_vcpu.carrier == thread) {
			if (!single_task_running())
				let_others_run();
			return leave(thread);
		}

		/* A signal waits for the thread's next call; only a fatal one is
		 * acted on at once.
		 */
		if (signal_pending(current))
			set_current_state(TASK_KILLABLE | TASK_NOLOAD);
		else
			set_current_state(TASK_INTERRUPTIBLE);
		if (!thread->accepted && !fatal_signal_pending(current))
			schedule();
		__set_current_state(TASK_RUNNING);
		if (test_thread_flag(TIF_NOTIFY_SIGNAL) || test_thread_flag(TIF_NOTIFY_RESUME)) {
			clear_notify_signal();
			resume_user_mode_work(NULL);
			if (task_work_pending(current))
				task_work_run();
		}
		if (fatal_signal_pending(current) && !thread->accepted) {
			current->thread.host = NULL;
			thread->task = NULL;
			do_exit(SIGKILL);
		}
	}
}

/* A new task's first step out of the kernel, see lkl_ret_from_fork(), which leaves the
 * image with the result.
 */
long lkl_user_first(void)
{
	struct lkl_thread *thread = current->thread.host;
	sigset_t none;

	if (!thread)
		lkl_init_main();
	/* Process 1, whose copy this task is, blocks all signals. */
	sigemptyset(&none);
	set_current_blocked(&none);
	thread->task = current;
	thread->stack_top = (unsigned long)lkl_stack_top_of(current_stack_pointer);
	return lkl_user_off(thread);
}
