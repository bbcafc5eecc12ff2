/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page tables describe two windows that the host reserved: the vmalloc area
 * (init_mm) and the area of mmap() (the application's mm).  No hardware reads
 * them: mm/mirror.c repeats each change by mapping the same memory there.
 * Four levels cover every address that the host may choose.
 */
#ifndef _ASM_LKL_PGTABLE_H
#define _ASM_LKL_PGTABLE_H

#include <linux/bits.h>
#include <asm/page.h>
#include <asm-generic/pgtable-nop4d.h>

#define PGDIR_SHIFT	39
#define PGDIR_SIZE	BIT(PGDIR_SHIFT)
#define PGDIR_MASK	(~(PGDIR_SIZE - 1))
#define PUD_SHIFT	30
#define PUD_SIZE	BIT(PUD_SHIFT)
#define PUD_MASK	(~(PUD_SIZE - 1))
#define PMD_SHIFT	21
#define PMD_SIZE	BIT(PMD_SHIFT)
#define PMD_MASK	(~(PMD_SIZE - 1))

#define PTRS_PER_PGD	512
#define PTRS_PER_PUD	512
#define PTRS_PER_PMD	512
#define PTRS_PER_PTE	512

#define USER_PTRS_PER_PGD	256

#define _PAGE_PRESENT		BIT(0)
#define _PAGE_WRITE		BIT(1)
#define _PAGE_USER		BIT(2)
#define _PAGE_EXEC		BIT(3)
#define _PAGE_ACCESSED		BIT(5)
#define _PAGE_DIRTY		BIT(6)
#define _PAGE_SWP_EXCLUSIVE	BIT(7)	/* when not present */
#define _PAGE_PROTNONE		BIT(8)	/* present, but of PROT_NONE */
#define _PAGE_SPECIAL		BIT(9)

#define _PAGE_TABLE	(_PAGE_PRESENT | _PAGE_WRITE | _PAGE_USER | \
			 _PAGE_ACCESSED | _PAGE_DIRTY)
#define _PAGE_CHG_MASK	(PAGE_MASK | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_SPECIAL)

#define PAGE_NONE		__pgprot(_PAGE_PROTNONE | _PAGE_ACCESSED)
#define PAGE_READONLY		__pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED)
#define PAGE_COPY		PAGE_READONLY
#define PAGE_SHARED		__pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | \
					 _PAGE_WRITE)
#define PAGE_KERNEL		__pgprot(_PAGE_PRESENT | _PAGE_WRITE | _PAGE_ACCESSED | \
					 _PAGE_DIRTY)
#define PAGE_KERNEL_RO		__pgprot(_PAGE_PRESENT | _PAGE_ACCESSED)
#define PAGE_KERNEL_EXEC	__pgprot(pgprot_val(PAGE_KERNEL) | _PAGE_EXEC)

#ifndef __ASSEMBLY__

#include <asm/vmalloc.h>

struct mm_struct;
struct vm_area_struct;
struct vm_fault;

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];

/* Allocated at boot: memory of the image cannot be mirrored. */
extern void *empty_zero_page;
#define ZERO_PAGE(vaddr)	virt_to_page(empty_zero_page)

#define pte_ERROR(e)	pr_err("%s:%d: bad pte %016lx\n", __FILE__, __LINE__, pte_val(e))
#define pmd_ERROR(e)	pr_err("%s:%d: bad pmd %016lx\n", __FILE__, __LINE__, pmd_val(e))
#define pud_ERROR(e)	pr_err("%s:%d: bad pud %016lx\n", __FILE__, __LINE__, pud_val(e))
#define pgd_ERROR(e)	pr_err("%s:%d: bad pgd %016lx\n", __FILE__, __LINE__, pgd_val(e))

#define p4d_none(x)	(!p4d_val(x))
#define p4d_bad(x)	((p4d_val(x) & ~PAGE_MASK) != _PAGE_TABLE)
#define p4d_present(x)	(p4d_val(x) & _PAGE_PRESENT)
#define pud_none(x)	(!pud_val(x))
#define pud_bad(x)	((pud_val(x) & ~PAGE_MASK) != _PAGE_TABLE)
#define pud_present(x)	(pud_val(x) & _PAGE_PRESENT)
#define pmd_none(x)	(!pmd_val(x))
#define pmd_bad(x)	((pmd_val(x) & ~PAGE_MASK) != _PAGE_TABLE)
#define pmd_present(x)	(pmd_val(x) & _PAGE_PRESENT)
#define pte_none(x)	(!pte_val(x))
#define pte_present(x)	(pte_val(x) & (_PAGE_PRESENT | _PAGE_PROTNONE))

#define pmd_leaf(x)	(false)
#define pud_leaf(x)	(false)

static inline void set_p4d(p4d_t *p4dp, p4d_t p4d)
{
	WRITE_ONCE(p4dp->pgd, p4d.pgd);
}

static inline void p4d_clear(p4d_t *p4dp)
{
	set_p4d(p4dp, (p4d_t) { });
}

static inline void set_pud(pud_t *pudp, pud_t pud)
{
	WRITE_ONCE(*pudp, pud);
}

static inline void pud_clear(pud_t *pudp)
{
	set_pud(pudp, __pud(0));
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	WRITE_ONCE(*pmdp, pmd);
}

static inline void pmd_clear(pmd_t *pmdp)
{
	set_pmd(pmdp, __pmd(0));
}

static inline unsigned long pmd_page_vaddr(pmd_t pmd)
{
	return (unsigned long)__va(pmd_val(pmd) & PAGE_MASK);
}

#define pmd_pfn(pmd)		(pmd_val(pmd) >> PAGE_SHIFT)
#define pmd_page(pmd)		pfn_to_page(pmd_pfn(pmd))
#define pud_pfn(pud)		(pud_val(pud) >> PAGE_SHIFT)
#define pud_page(pud)		pfn_to_page(pud_pfn(pud))
#define p4d_page(p4d)		pfn_to_page((p4d).pgd.pgd >> PAGE_SHIFT)

static inline pmd_t *pud_pgtable(pud_t pud)
{
	return __va(pud_val(pud) & PAGE_MASK);
}

static inline pud_t *p4d_pgtable(p4d_t p4d)
{
	return __va(p4d.pgd.pgd & PAGE_MASK);
}

#define pte_pfn(pte)		(pte_val(pte) >> PAGE_SHIFT)
#define pte_page(pte)		pfn_to_page(pte_pfn(pte))
#define pfn_pte(pfn, prot)	__pte(((unsigned long)(pfn) << PAGE_SHIFT) | pgprot_val(prot))
#define mk_pte(page, prot)	pfn_pte(page_to_pfn(page), prot)

static inline int pte_write(pte_t pte) { return !!(pte_val(pte) & _PAGE_WRITE); }
static inline int pte_dirty(pte_t pte) { return !!(pte_val(pte) & _PAGE_DIRTY); }
static inline int pte_young(pte_t pte) { return !!(pte_val(pte) & _PAGE_ACCESSED); }
static inline int pte_special(pte_t pte) { return !!(pte_val(pte) & _PAGE_SPECIAL); }

#define LKL_PTE_SET(name, bits)						\
static inline pte_t name(pte_t pte) { return __pte(pte_val(pte) | (bits)); }
#define LKL_PTE_CLEAR(name, bits)					\
static inline pte_t name(pte_t pte) { return __pte(pte_val(pte) & ~(bits)); }

LKL_PTE_SET(pte_mkdirty, _PAGE_DIRTY)
LKL_PTE_CLEAR(pte_mkclean, _PAGE_DIRTY)
LKL_PTE_SET(pte_mkyoung, _PAGE_ACCESSED)
LKL_PTE_CLEAR(pte_mkold, _PAGE_ACCESSED)
LKL_PTE_SET(pte_mkwrite_novma, _PAGE_WRITE)
LKL_PTE_CLEAR(pte_wrprotect, _PAGE_WRITE)
LKL_PTE_SET(pte_mkspecial, _PAGE_SPECIAL)

static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte_val(pte) & _PAGE_CHG_MASK) | pgprot_val(prot));
}

#define __HAVE_ARCH_PTE_SAME
static inline int pte_same(pte_t a, pte_t b)
{
	return pte_val(a) == pte_val(b);
}

/*
 * init_mm is mirrored in one go by flush_cache_vmap() and
 * flush_tlb_kernel_range(); an application's mm at each change, because an
 * application touches its memory without asking the kernel.
 */
extern struct mm_struct init_mm;

void lkl_mirror_set(unsigned long addr, pte_t pte, unsigned int nr);
void lkl_mirror_clear(unsigned long addr);

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	WRITE_ONCE(*ptep, pte);
}

#define PFN_PTE_SHIFT	PAGE_SHIFT

#define set_ptes set_ptes
static inline void set_ptes(struct mm_struct *mm, unsigned long addr,
			    pte_t *ptep, pte_t pte, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		set_pte(ptep + i, __pte(pte_val(pte) + i * PAGE_SIZE));
	if (mm != &init_mm)
		lkl_mirror_set(addr, pte, nr);
}

static inline void pte_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	pte_t old = READ_ONCE(*ptep);

	set_pte(ptep, __pte(0));
	if (mm != &init_mm && pte_present(old))
		lkl_mirror_clear(addr);
}

static inline void update_mmu_cache_range(struct vm_fault *vmf,
					  struct vm_area_struct *vma,
					  unsigned long addr, pte_t *ptep,
					  unsigned int nr)
{
}

#define update_mmu_cache(vma, addr, ptep) \
	update_mmu_cache_range(NULL, vma, addr, ptep, 1)
#define update_mmu_cache_pmd(vma, addr, pmd)	do { } while (0)

/* Swap entries: type in bits 2..6, offset from bit 12. */
#define MAX_SWAPFILES_CHECK()	BUILD_BUG_ON(MAX_SWAPFILES_SHIFT > 5)
#define __swp_type(x)		(((x).val >> 2) & 0x1f)
#define __swp_offset(x)		((x).val >> PAGE_SHIFT)
#define __swp_entry(type, offset) \
	((swp_entry_t) { (((type) & 0x1f) << 2) | ((unsigned long)(offset) << PAGE_SHIFT) })
#define __pte_to_swp_entry(pte)	((swp_entry_t) { pte_val(pte) })
#define __swp_entry_to_pte(x)	((pte_t) { (x).val })

LKL_PTE_SET(pte_swp_mkexclusive, _PAGE_SWP_EXCLUSIVE)
LKL_PTE_CLEAR(pte_swp_clear_exclusive, _PAGE_SWP_EXCLUSIVE)

static inline int pte_swp_exclusive(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_SWP_EXCLUSIVE);
}

/* mmap() stays inside the window that the host reserved for it. */
#define HAVE_ARCH_UNMAPPED_AREA
#define HAVE_ARCH_UNMAPPED_AREA_TOPDOWN

#endif /* __ASSEMBLY__ */
#endif
