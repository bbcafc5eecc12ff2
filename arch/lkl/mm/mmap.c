// SPDX-License-Identifier: GPL-2.0
/*
 * mmap() for application threads, in the window that the host reserved.
 *
 * The application touches the memory without the kernel's knowledge, so what it
 * may touch is there when mmap() returns, and stays: areas are populated and
 * locked.  What needs a fault later cannot be had, see lkl_mmap.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/syscalls.h>
#include <asm/lkl.h>

unsigned long arch_get_unmapped_area(struct file *filp, unsigned long addr,
				     unsigned long len, unsigned long pgoff,
				     unsigned long flags, vm_flags_t vm_flags)
{
	struct vm_unmapped_area_info info = {
		.length		= len,
		.low_limit	= lkl_user_start,
		.high_limit	= lkl_user_end,
	};

	if (flags & MAP_FIXED) {
		if (addr < info.low_limit || len > info.high_limit - info.low_limit ||
		    addr > info.high_limit - len)
			return -ENOMEM;
		return addr;
	}
	return vm_unmapped_area(&info);
}

unsigned long arch_get_unmapped_area_topdown(struct file *filp, unsigned long addr,
					     unsigned long len, unsigned long pgoff,
					     unsigned long flags, vm_flags_t vm_flags)
{
	return arch_get_unmapped_area(filp, addr, len, pgoff, flags, vm_flags);
}

SYSCALL_DEFINE6(lkl_mmap, unsigned long, addr, unsigned long, len, unsigned long, prot,
		unsigned long, flags, unsigned long, fd, off_t, offset)
{
	if (offset_in_page(offset))
		return -EINVAL;
	return ksys_mmap_pgoff(addr, len, prot, flags | MAP_POPULATE | MAP_LOCKED, fd,
			       offset >> PAGE_SHIFT);
}
