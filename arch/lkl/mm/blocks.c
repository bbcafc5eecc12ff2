// SPDX-License-Identifier: GPL-2.0
/*
 * Memory comes from the host a block at a time.
 *
 * A page that is touched for the first time is a fault on the host, and 512 of them
 * cost tens of times what one page of 2 MiB costs.  So each block of memory is asked
 * for as a whole when its first page is allocated.  A host that has no such pages says
 * so once, and gives memory page by page; one that would rather save memory while the
 * kernel boots is asked again with the next page.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <asm/lkl.h>

#define BLOCK_SHIFT	21

/*
 * A bit for each block: the host was asked.  A page is allocated by one task at a time,
 * and nothing interrupts between the test of a bit and its change, so that plain
 * accesses do; 0 when the host has no blocks.
 */
static unsigned long *asked;

static void prepare(unsigned long first, unsigned long count)
{
	int result = host_call(prepare, first << BLOCK_SHIFT, count << BLOCK_SHIFT);

	if (result < 0)
		asked = NULL;
	else if (result == 0)
		bitmap_set(asked, first, count);
}

/* The allocator's hook, see gfp.h: before anything is written into the pages. */
void arch_alloc_page(struct page *page, int order)
{
	phys_addr_t start = page_to_phys(page);
	unsigned long block = start >> BLOCK_SHIFT;
	unsigned long last = (start + (PAGE_SIZE << order) - 1) >> BLOCK_SHIFT;

	for (; block <= last && asked; block++) {
		if (unlikely(!test_bit(block, asked)))
			prepare(block, 1);
	}
}

/* The blocks are the host's again. */
void lkl_blocks_discarded(phys_addr_t start, size_t length)
{
	unsigned long first = DIV_ROUND_UP(start, LKL_BLOCK_SIZE);
	unsigned long end = (start + length) >> BLOCK_SHIFT;

	if (asked && first < end)
		bitmap_clear(asked, first, end - first);
}

bool lkl_blocks_in_use(void)
{
	return asked;
}

/*
 * The image is not ours to prepare; what does not fill a block at the end stays as it
 * is.  Memory is taken from the end until the allocator has it: the table of all pages,
 * and the hash tables, which take less than 1/256; to the nearest block.  All of it where
 * free memory is filled with a pattern.
 */
void __init lkl_blocks_init(phys_addr_t start, phys_addr_t end)
{
	unsigned long blocks = DIV_ROUND_UP(end, LKL_BLOCK_SIZE);
	unsigned long whole = end >> BLOCK_SHIFT;
	unsigned long first = start >> BLOCK_SHIFT;
	unsigned long early = DIV_ROUND_CLOSEST(PFN_DOWN(end) * sizeof(struct page) + end / 256,
						LKL_BLOCK_SIZE);

	BUILD_BUG_ON(LKL_BLOCK_SIZE != 1ul << BLOCK_SHIFT);
	asked = memblock_alloc(BITS_TO_LONGS(blocks) * sizeof(long), sizeof(long));
	if (!asked || first >= whole)
		return;
	bitmap_set(asked, 0, first);
	bitmap_set(asked, whole, blocks - whole);
	if (page_poisoning_enabled())
		early = whole - first;
	early = clamp(early, 1ul, whole - first);
	prepare(whole - early, early);
}
