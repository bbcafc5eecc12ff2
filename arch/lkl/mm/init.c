// SPDX-License-Identifier: GPL-2.0
/* Physical memory: the image, then what the host gave. */
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/compaction.h>
#include <asm/lkl.h>
#include <asm/pgalloc.h>
#include <asm/sections.h>

pgd_t swapper_pg_dir[PTRS_PER_PGD] __aligned(PAGE_SIZE);
void *empty_zero_page;

void __init lkl_mem_setup(void)
{
	unsigned long max_zone_pfns[MAX_NR_ZONES] = { };
	phys_addr_t start = __pa(lkl_boot_info.memory_start);
	phys_addr_t end = __pa(lkl_boot_info.memory_end);

	memblock_add(0, end);
	memblock_reserve(0, start);

	min_low_pfn = 0;
	max_low_pfn = PFN_DOWN(end);
	max_pfn = max_low_pfn;
	high_memory = __va(end);
	set_max_mapnr(max_pfn);
	lkl_blocks_init(start, end);

	empty_zero_page = memblock_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!empty_zero_page)
		panic("no memory for the zero page");

	max_zone_pfns[ZONE_NORMAL] = max_low_pfn;
	free_area_init(max_zone_pfns);
}

void __init mem_init(void)
{
	memblock_free_all();
}

/* The image's pages are the file's, or private copies of it, which cannot be
 * mapped a second time: they never become free memory.
 */
void free_initmem(void)
{
}

#ifdef CONFIG_COMPACTION
/* kcompactd looks for fragmentation twice a second, even in a kernel that nobody
 * uses.  Who needs a large block compacts memory on the spot.
 */
static int __init stop_kcompactd(void)
{
	kcompactd_stop(0);
	return 0;
}
late_initcall(stop_kcompactd);
#endif

pgd_t *pgd_alloc(struct mm_struct *mm)
{
	return (pgd_t *)get_zeroed_page(GFP_KERNEL);
}

static const pgprot_t protection_map[16] = {
	[VM_NONE]					= PAGE_NONE,
	[VM_READ]					= PAGE_READONLY,
	[VM_WRITE]					= PAGE_COPY,
	[VM_WRITE | VM_READ]				= PAGE_COPY,
	[VM_EXEC]					= PAGE_READONLY,
	[VM_EXEC | VM_READ]				= PAGE_READONLY,
	[VM_EXEC | VM_WRITE]				= PAGE_COPY,
	[VM_EXEC | VM_WRITE | VM_READ]			= PAGE_COPY,
	[VM_SHARED]					= PAGE_NONE,
	[VM_SHARED | VM_READ]				= PAGE_READONLY,
	[VM_SHARED | VM_WRITE]				= PAGE_SHARED,
	[VM_SHARED | VM_WRITE | VM_READ]		= PAGE_SHARED,
	[VM_SHARED | VM_EXEC]				= PAGE_READONLY,
	[VM_SHARED | VM_EXEC | VM_READ]			= PAGE_READONLY,
	[VM_SHARED | VM_EXEC | VM_WRITE]		= PAGE_SHARED,
	[VM_SHARED | VM_EXEC | VM_WRITE | VM_READ]	= PAGE_SHARED
};
DECLARE_VM_GET_PAGE_PROT
