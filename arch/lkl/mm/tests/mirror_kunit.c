// SPDX-License-Identifier: GPL-2.0
/* Kernel mappings, repeated by mappings of the host. */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define PAGES	67

struct pages {
	struct page *page[PAGES];
};

static void free_pages_of(void *data)
{
	struct pages *pages = data;
	int i;

	for (i = 0; i < PAGES; i++)
		if (pages->page[i])
			__free_page(pages->page[i]);
}

/* Pages in no order, each with its number in its first word. */
static struct pages *scattered(struct kunit *test)
{
	struct pages *pages = kunit_kzalloc(test, sizeof(*pages), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_pages_of, pages), 0);
	for (i = 0; i < PAGES; i++) {
		int at = (i * 29) % PAGES;

		pages->page[at] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, pages->page[at]);
		*(u64 *)page_address(pages->page[at]) = at;
	}
	return pages;
}

static unsigned int wrong_pages(const void *mapped, unsigned int first)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < PAGES; i++)
		wrong += *(const u64 *)(mapped + i * PAGE_SIZE) != first + i;
	return wrong;
}

static void vmap_shows_the_pages(struct kunit *test)
{
	struct pages *pages = scattered(test);
	u8 *mapped = vmap(pages->page, PAGES, VM_MAP, PAGE_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, mapped);
	KUNIT_EXPECT_EQ(test, wrong_pages(mapped, 0), 0);
	/* One memory, whichever way it is written. */
	for (i = 0; i < PAGES; i++) {
		mapped[i * PAGE_SIZE + PAGE_SIZE - 1] = i + 1;
		KUNIT_EXPECT_EQ(test, ((u8 *)page_address(pages->page[i]))[PAGE_SIZE - 1],
				(u8)(i + 1));
		*(u64 *)page_address(pages->page[i]) = 1000 + i;
	}
	KUNIT_EXPECT_EQ(test, wrong_pages(mapped, 1000), 0);
	KUNIT_EXPECT_PTR_EQ(test, vmalloc_to_page(mapped + 5 * PAGE_SIZE), pages->page[5]);
	vunmap(mapped);
}

static void vm_map_ram_shows_the_pages(struct kunit *test)
{
	struct pages *pages = scattered(test);
	void *mapped = vm_map_ram(pages->page, PAGES, NUMA_NO_NODE);

	KUNIT_ASSERT_NOT_NULL(test, mapped);
	KUNIT_EXPECT_EQ(test, wrong_pages(mapped, 0), 0);
	vm_unmap_ram(mapped, PAGES);
}

/* An address that is used again shows what is mapped now. */
static void address_used_again(struct kunit *test)
{
	struct pages *first = scattered(test), *second = scattered(test);
	unsigned int again = 0;
	void *mapped, *last = NULL;
	int i;

	for (i = 0; i < PAGES; i++)
		*(u64 *)page_address(second->page[i]) = 5000 + i;
	for (i = 0; i < 200; i++) {
		struct pages *pages = i % 2 ? second : first;

		mapped = vmap(pages->page, PAGES, VM_MAP, PAGE_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, mapped);
		KUNIT_EXPECT_EQ(test, wrong_pages(mapped, i % 2 ? 5000 : 0), 0);
		again += mapped == last;
		last = mapped;
		vunmap(mapped);
		vm_unmap_aliases();
	}
	KUNIT_EXPECT_GT(test, again, 0);
}

static void read_only_is_read_only(struct kunit *test)
{
	struct pages *pages = scattered(test);
	u64 *mapped = vmap(pages->page, PAGES, VM_MAP, PAGE_KERNEL_RO), value = 99;

	KUNIT_ASSERT_NOT_NULL(test, mapped);
	KUNIT_EXPECT_EQ(test, copy_to_kernel_nofault(mapped, &value, sizeof(value)), -EFAULT);
	KUNIT_EXPECT_EQ(test, *mapped, 0);
	vunmap(mapped);
}

static void gone_when_unmapped(struct kunit *test)
{
	u64 *mapped = vmalloc(PAGES * PAGE_SIZE), value;

	KUNIT_ASSERT_NOT_NULL(test, mapped);
	mapped[0] = 1;
	vfree(mapped);
	vm_unmap_aliases();
	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, mapped, sizeof(value)), -EFAULT);
}

static void guard_page(struct kunit *test)
{
	u8 *mapped = vmalloc(PAGE_SIZE), value;

	KUNIT_ASSERT_NOT_NULL(test, mapped);
	mapped[PAGE_SIZE - 1] = 1;
	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, mapped + PAGE_SIZE, 1), -EFAULT);
	vfree(mapped);
}

static void past_any_contiguous_size(struct kunit *test)
{
	const unsigned long size = 96UL << 20;
	u64 *words = vmalloc(size);
	unsigned long i, wrong = 0;

	KUNIT_ASSERT_NOT_NULL(test, words);
	for (i = 0; i < size / sizeof(*words); i += 512)
		words[i] = i;
	for (i = 0; i < size / sizeof(*words); i += 512)
		wrong += words[i] != i;
	vfree(words);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(vmap_shows_the_pages),
	KUNIT_CASE(vm_map_ram_shows_the_pages),
	KUNIT_CASE(address_used_again),
	KUNIT_CASE(read_only_is_read_only),
	KUNIT_CASE(gone_when_unmapped),
	KUNIT_CASE(guard_page),
	KUNIT_CASE_SLOW(past_any_contiguous_size),
	{}
};

static struct kunit_suite suite = {
	.name = "lkl_mirror",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of kernel mappings");
MODULE_LICENSE("GPL");
