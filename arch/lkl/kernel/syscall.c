// SPDX-License-Identifier: GPL-2.0
/* Dispatch of system calls. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/syscalls.h>
#include <asm/lkl.h>
#include <asm/syscall.h>

long lkl_syscall(struct lkl_thread *thread)
{
	unsigned long nr = thread->nr;
	const long *a = thread->args;
	long ret = -ENOSYS;

	if (likely(nr < NR_syscalls))
		ret = sys_call_table[nr](a[0], a[1], a[2], a[3], a[4], a[5]);
	if (unlikely((READ_ONCE(current_thread_info()->flags) & _TIF_EXIT_WORK) ||
		     (ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK)))
		ret = lkl_exit_work(thread, ret);
	return ret;
}
