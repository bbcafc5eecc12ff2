// SPDX-License-Identifier: GPL-2.0
/*
 * mmap() for application threads, in the window that the host reserved.
 *
 * The application touches the memory without the kernel's knowledge, so what it
 * may touch is there when mmap() returns, and stays: areas are populated and
 * locked, and no call unlocks them.  What needs a fault later cannot be had, see
 * lkl_mmap.  Memory that a call takes away, as with a file's hole, is brought back
 * when the call returns.
 */
#include <linux/backing-dev.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/task_work.h>
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

/* As vma_needs_dirty_tracking() of mm/, which is that of a shared writable area. */
static bool wants_write_faults(const struct vm_area_struct *vma)
{
	if (vma->vm_ops && (vma->vm_ops->page_mkwrite || vma->vm_ops->pfn_mkwrite))
		return true;
	return vma->vm_file && vma->vm_file->f_mapping &&
	       mapping_can_writeback(vma->vm_file->f_mapping);
}

/* Whether to write to a shared area in the range would need a fault. */
static bool needs_write_faults(unsigned long start, unsigned long len)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;
	bool found = false;

	vma_iter_init(&vmi, mm, start);
	mmap_read_lock(mm);
	for_each_vma_range(vmi, vma, start + len) {
		if ((vma->vm_flags & VM_SHARED) && wants_write_faults(vma))
			found = true;
	}
	mmap_read_unlock(mm);
	return found;
}

SYSCALL_DEFINE6(lkl_mmap, unsigned long, addr, unsigned long, len, unsigned long, prot,
		unsigned long, flags, unsigned long, fd, off_t, offset)
{
	long area;

	if (offset_in_page(offset))
		return -EINVAL;
	area = ksys_mmap_pgoff(addr, len, prot, flags | MAP_POPULATE | MAP_LOCKED, fd,
			       offset >> PAGE_SHIFT);
	if (!IS_ERR_VALUE(area) && (prot & PROT_WRITE) && needs_write_faults(area, len)) {
		vm_munmap(area, len);
		return -ENODEV;
	}
	return area;
}

SYSCALL_DEFINE3(lkl_mprotect, unsigned long, start, size_t, len, unsigned long, prot)
{
	if ((prot & PROT_WRITE) && needs_write_faults(start, len))
		return -EACCES;
	return sys_mprotect(start, len, prot);
}

/* Nothing keeps memory that is not locked. */
SYSCALL_DEFINE2(lkl_munlock, unsigned long, start, size_t, len)
{
	return 0;
}

SYSCALL_DEFINE0(lkl_munlockall)
{
	return 0;
}

SYSCALL_DEFINE3(lkl_mlock2, unsigned long, start, size_t, len, int, flags)
{
	return sys_mlock2(start, len, flags & ~MLOCK_ONFAULT);
}

/* It unlocks future areas where it is not asked to lock them. */
SYSCALL_DEFINE1(lkl_mlockall, int, flags)
{
	if (flags & (MCL_CURRENT | MCL_FUTURE))
		flags = (flags | MCL_FUTURE) & ~MCL_ONFAULT;
	return sys_mlockall(flags);
}

/* Where a task's call has taken memory away. */
struct lost {
	struct callback_head work;
	struct task_struct *task;
	unsigned long start, end;
};

/* The latest, until its task brings it back.  Changed by tasks alone, which are on one
 * virtual CPU and do not sleep meanwhile.
 */
static struct lost *last_lost;

/* Where there is an area yet, and something to fill it with. */
static void bring_back(struct callback_head *work)
{
	struct lost *lost = container_of(work, struct lost, work);

	if (last_lost == lost)
		last_lost = NULL;
	/* Not in a task that ends. */
	if (current->mm)
		mm_populate(lost->start, lost->end - lost->start);
	kfree(lost);
}

void lkl_memory_lost(unsigned long addr)
{
	struct lost *lost = last_lost;

	/* A kernel thread's loss is nobody's call, and there is no such thing. */
	if (!current->mm || !current->thread.host || !in_task())
		return;
	if (lost && lost->task == current) {
		lost->start = min(lost->start, addr);
		lost->end = max(lost->end, addr + PAGE_SIZE);
		return;
	}
	lost = kmalloc(sizeof(*lost), GFP_ATOMIC | __GFP_NOWARN);
	if (!lost)
		return;
	*lost = (struct lost) {
		.task = current, .start = addr, .end = addr + PAGE_SIZE,
	};
	init_task_work(&lost->work, bring_back);
	if (task_work_add(current, &lost->work, TWA_RESUME))
		kfree(lost);
	else
		last_lost = lost;
}
