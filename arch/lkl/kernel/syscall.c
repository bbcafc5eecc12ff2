// SPDX-License-Identifier: GPL-2.0
/* Dispatch of system calls, and those that differ in a library. */
#include <linux/mutex.h>
#include <linux/futex.h>
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

/*
 * A futex outside the window of mmap() lies in memory that this kernel has no
 * page for.  All application threads share one address space, so that private
 * and shared mean the same there.
 */
SYSCALL_DEFINE6(lkl_futex, u32 __user *, uaddr, int, op, u32, val,
		const struct __kernel_timespec __user *, timeout,
		u32 __user *, uaddr2, u32, val3)
{
	unsigned long addr = (unsigned long)uaddr;

	if (addr < lkl_user_start || addr >= lkl_user_end)
		op |= FUTEX_PRIVATE_FLAG;
	return sys_futex(uaddr, op, val, timeout, uaddr2, val3);
}
