// SPDX-License-Identifier: GPL-2.0
/*
 * mmap() for application threads, in the window that the host reserved.
 *
 * The application touches the memory without the kernel's knowledge, so what it
 * may touch is there when mmap() returns, and stays: areas are populated and
 * locked.  What needs a fault later cannot be had, see lkl_mmap.
 */
#include <linux/backing-dev.h>
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
