// SPDX-License-Identifier: GPL-2.0
/*
 * Work on the way out of a system call: rescheduling, task work, signals.
 *
 * A signal's handler is a function of the application.  It cannot be called
 * here: it would run on a kernel stack and hold the vCPU.  The call ends as an
 * interrupted one does, and its home thread calls the handler when it has left
 * the kernel (struct lkl_thread.signal), then restores the mask.
 */
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <asm/lkl.h>
#include <asm/syscall.h>

static bool is_restart(long ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR ||
	       ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK;
}

static long restart(struct lkl_thread *thread, long ret)
{
	const long *a = thread->args;

	if (ret == -ERESTART_RESTARTBLOCK)
		return current->restart_block.fn(&current->restart_block);
	return sys_call_table[thread->nr](a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long deliver(struct lkl_thread *thread, struct ksignal *ksig, long ret)
{
	struct lkl_thread *t = thread;

	BUILD_BUG_ON(sizeof(t->signal.info) != sizeof(siginfo_t));

	if (ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK ||
	    (ret == -ERESTARTSYS && !(ksig->ka.sa.sa_flags & SA_RESTART)))
		ret = -EINTR;

	t->signal.signo = ksig->sig;
	t->signal.restart = 0;
	t->signal.handler = (unsigned long)ksig->ka.sa.sa_handler;
	t->signal.mask = sigmask_to_save()->sig[0];
	memset(t->signal.info, 0, sizeof(t->signal.info));
	copy_siginfo_to_external((siginfo_t *)t->signal.info, &ksig->info);
	signal_setup_done(0, ksig, 0);
	return ret;
}

long lkl_exit_work(struct lkl_thread *thread, long ret)
{
	unsigned long flags;
	struct ksignal ksig;

	for (;;) {
		flags = READ_ONCE(current_thread_info()->flags) & _TIF_EXIT_WORK;
		if (!flags)
			break;
		if (flags & _TIF_NEED_RESCHED)
			schedule();
		if (flags & (_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL)) {
			/* One handler a call; the next ones at the next call. */
			if (thread->signal.signo)
				break;
			if (get_signal(&ksig)) {
				ret = deliver(thread, &ksig, ret);
				if (!is_restart(ret))
					continue;
			}
		}
		if (flags & _TIF_NOTIFY_RESUME)
			resume_user_mode_work(NULL);
		/* A handler comes first, then its thread makes the call again. */
		if (is_restart(ret) && !thread->signal.signo && !signal_pending(current))
			ret = restart(thread, ret);
	}
	if (is_restart(ret) && !thread->signal.signo)
		ret = restart(thread, ret);
	if (is_restart(ret)) {
		thread->signal.restart = 1;
		ret = -EINTR;
	}
	if (!thread->signal.signo)
		restore_saved_sigmask();
	return ret;
}
