// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's page tables, repeated by mappings of the host.
 *
 * init_mm: entries are written in bulk, then flush_cache_vmap() maps the range;
 * after entries are cleared, flush_tlb_kernel_range() unmaps it, possibly much
 * later and over a range that has live entries too.  Until then the old mapping
 * stays, as a stale translation would, and a new one at the address replaces it.
 *
 * An application's mm: at each change, see set_ptes() and pte_clear().
 */
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/cacheflush.h>
#include <asm/lkl.h>
#include <asm/tlbflush.h>

static unsigned int host_prot(pte_t pte)
{
	unsigned int prot = 0;

	if (!(pte_val(pte) & _PAGE_PRESENT))
		return 0;
	prot |= LKL_MAP_READ;
	if (pte_val(pte) & _PAGE_WRITE)
		prot |= LKL_MAP_WRITE;
	if (pte_val(pte) & _PAGE_EXEC)
		prot |= LKL_MAP_EXEC;
	return prot;
}

/* A run of pages that one host call can map. */
struct run {
	unsigned long addr, pa, length;
	unsigned int prot;
};

static void map_run(struct run *run)
{
	int err;

	if (!run->length)
		return;
	err = host_call(map, run->addr, run->pa, run->length, run->prot);
	/* Nobody above can be told; going on would fault at the first access. */
	if (err)
		panic("the host refused a mapping of %lu KiB: error %d",
		      run->length >> 10, err);
	run->length = 0;
}

static int map_pte(pte_t *ptep, unsigned long addr, void *data)
{
	struct run *run = data;
	pte_t pte = READ_ONCE(*ptep);
	unsigned long pa = PFN_PHYS(pte_pfn(pte));
	unsigned int prot = host_prot(pte);

	if (!prot) {
		map_run(run);
		return 0;
	}
	if (run->length && run->prot == prot && run->pa + run->length == pa &&
	    run->addr + run->length == addr) {
		run->length += PAGE_SIZE;
		return 0;
	}
	map_run(run);
	*run = (struct run) { addr, pa, PAGE_SIZE, prot };
	return 0;
}

static pte_t *kernel_pte(unsigned long addr, unsigned long *skip)
{
	pgd_t *pgd = pgd_offset_k(addr);
	p4d_t *p4d = p4d_offset(pgd, addr);
	pud_t *pud;
	pmd_t *pmd;

	*skip = PGDIR_SIZE;
	if (p4d_none(*p4d))
		return NULL;
	*skip = PUD_SIZE;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud))
		return NULL;
	*skip = PMD_SIZE;
	pmd = pmd_offset(pud, addr);
	if (pmd_none(*pmd))
		return NULL;
	*skip = PAGE_SIZE;
	return pte_offset_kernel(pmd, addr);
}

static unsigned long next_boundary(unsigned long addr, unsigned long size, unsigned long end)
{
	unsigned long next = (addr + size) & ~(size - 1);

	return next - 1 < end - 1 ? next : end;
}

void flush_cache_vmap(unsigned long start, unsigned long end)
{
	struct run run = { };
	unsigned long addr, skip;
	pte_t *pte;

	for (addr = start; addr < end; addr = next_boundary(addr, skip, end)) {
		pte = kernel_pte(addr, &skip);
		if (pte)
			map_pte(pte, addr, &run);
	}
	map_run(&run);
}

static void unmap_holes(unsigned long start, unsigned long end)
{
	unsigned long addr, next, skip, hole = 0;
	pte_t *pte;

	for (addr = start; addr < end; addr = next) {
		pte = kernel_pte(addr, &skip);
		next = next_boundary(addr, skip, end);
		if (pte && pte_present(READ_ONCE(*pte))) {
			if (hole)
				host_call(unmap, hole, addr - hole);
			hole = 0;
		} else if (!hole) {
			hole = addr;
		}
	}
	if (hole && hole < end)
		host_call(unmap, hole, end - hole);
}

static void unmap_holes_between(unsigned long start, unsigned long end, unsigned long first,
				unsigned long last)
{
	unmap_holes(max(start & PAGE_MASK, first), min(PAGE_ALIGN(end), last));
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	unmap_holes_between(start, end, VMALLOC_START, VMALLOC_END);
#ifdef CONFIG_KASAN_VMALLOC
	/* The shadow of the area is made of the kernel's pages, as they are needed. */
	unmap_holes_between(start, end,
			    (unsigned long)kasan_mem_to_shadow((void *)VMALLOC_START),
			    (unsigned long)kasan_mem_to_shadow((void *)VMALLOC_END));
#endif
}

static bool in_user_window(unsigned long addr)
{
	return addr >= lkl_user_start && addr < lkl_user_end;
}

void lkl_mirror_set(unsigned long addr, pte_t pte, unsigned int nr)
{
	struct run run = { addr, PFN_PHYS(pte_pfn(pte)), nr * PAGE_SIZE, host_prot(pte) };

	if (!in_user_window(addr))
		return;
	if (run.prot)
		map_run(&run);
	else
		host_call(unmap, addr, nr * PAGE_SIZE);
}

void lkl_mirror_clear(unsigned long addr)
{
	if (!in_user_window(addr))
		return;
	host_call(unmap, addr, PAGE_SIZE);
	lkl_memory_lost(addr);
}
