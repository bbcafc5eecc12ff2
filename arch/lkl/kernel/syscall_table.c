// SPDX-License-Identifier: GPL-2.0
/* The generic 64-bit table, less the calls that make no sense in a library. */
#include <linux/syscalls.h>
#include <asm-generic/syscalls.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

/* The program that runs is the host's: no other one is made or loaded. */
#define sys_clone		sys_ni_syscall
#define sys_clone3		sys_ni_syscall
#define sys_execve		sys_ni_syscall
#define sys_execveat		sys_ni_syscall
#define sys_exit_group		sys_ni_syscall
#define sys_exit		sys_ni_syscall
#define sys_brk			sys_ni_syscall
/* There is no interrupted user state to go back to or to inspect. */
#define sys_rt_sigreturn	sys_ni_syscall
#define sys_restart_syscall	sys_ni_syscall
#define sys_ptrace		sys_ni_syscall
#define sys_rseq		sys_ni_syscall

/* See futex.c, mount.c and mm/mmap.c. */
#ifdef CONFIG_FUTEX
#define sys_futex		sys_lkl_futex
#endif
#define sys_mount		sys_lkl_mount
#define sys_mlock2		sys_lkl_mlock2
#define sys_mlockall		sys_lkl_mlockall
#define sys_mmap		sys_lkl_mmap
#define sys_mprotect		sys_lkl_mprotect
#define sys_munlock		sys_lkl_munlock
#define sys_munlockall		sys_lkl_munlockall

asmlinkage long sys_lkl_futex(u32 __user *uaddr, int op, u32 val,
			      const struct __kernel_timespec __user *timeout,
			      u32 __user *uaddr2, u32 val3);
asmlinkage long sys_lkl_mount(char __user *dev_name, char __user *dir_name,
			      char __user *type, unsigned long flags, void __user *data);
asmlinkage long sys_lkl_mmap(unsigned long addr, unsigned long len, unsigned long prot,
			     unsigned long flags, unsigned long fd, off_t offset);
asmlinkage long sys_lkl_mprotect(unsigned long start, size_t len, unsigned long prot);
asmlinkage long sys_lkl_mlock2(unsigned long start, size_t len, int flags);
asmlinkage long sys_lkl_mlockall(int flags);
asmlinkage long sys_lkl_munlock(unsigned long start, size_t len);
asmlinkage long sys_lkl_munlockall(void);
asmlinkage long sys_lkl_virtio_mmio_device_add(unsigned long base, unsigned long size,
					       unsigned int irq, u64 __user *number);
asmlinkage long sys_lkl_virtio_mmio_device_remove(long id);
asmlinkage long sys_lkl_freeze(const char __user *place, int on);

/* All arguments travel in registers, so a function that takes fewer is called
 * with six all the same.
 */
#define __SYSCALL(nr, call)	[nr] = (sys_call_ptr_t)(void *)(call),
#define __SYSCALL_WITH_COMPAT(nr, native, compat)	__SYSCALL(nr, native)

const sys_call_ptr_t sys_call_table[NR_syscalls] = {
	[0 ... NR_syscalls - 1] = (sys_call_ptr_t)(void *)sys_ni_syscall,
#include <asm/syscall_table_64.h>
	__SYSCALL(__NR_lkl_virtio_mmio_device_add, sys_lkl_virtio_mmio_device_add)
	__SYSCALL(__NR_lkl_virtio_mmio_device_remove, sys_lkl_virtio_mmio_device_remove)
	__SYSCALL(__NR_lkl_freeze, sys_lkl_freeze)
};
