// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses to user memory: the range check, and, where the program has opted in
 * to the host library's fault handler, what becomes of a pointer into nothing.
 * lib/usercopy_kunit.c has what all architectures have in common.
 */
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

static void ranges(struct kunit *test)
{
	void __user *null = NULL;
	void __user *first = (void __user *)PAGE_SIZE;
	void __user *last = (void __user *)(TASK_SIZE_MAX - PAGE_SIZE);
	void __user *end = (void __user *)TASK_SIZE_MAX;
	unsigned long big = TASK_SIZE_MAX;

	/* Sizes that the compiler knows, and those that it does not, take two ways. */
	OPTIMIZER_HIDE_VAR(big);
	KUNIT_EXPECT_FALSE(test, access_ok(null, 1));
	KUNIT_EXPECT_FALSE(test, access_ok(null + PAGE_SIZE - 1, 1));
	KUNIT_EXPECT_TRUE(test, access_ok(first, 1));
	KUNIT_EXPECT_FALSE(test, access_ok(end, 1));
	KUNIT_EXPECT_FALSE(test, access_ok(last, 2 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, access_ok(first, big));
	KUNIT_EXPECT_FALSE(test, access_ok(first, big + PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, access_ok(first, -1UL));
	KUNIT_EXPECT_FALSE(test, access_ok((void __user *)-PAGE_SIZE, 2 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, access_ok((void __user *)-1UL, 1));
	KUNIT_EXPECT_TRUE(test, access_ok(first, big - 2 * PAGE_SIZE));
}

/* A page, and after it one that is not there. */
static u8 __user *page_before_a_hole(struct kunit *test)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, 0);

	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_LT(test, addr, TASK_SIZE);
	KUNIT_ASSERT_EQ(test, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE), 0);
	return (u8 __user *)addr;
}

static void values(struct kunit *test)
{
	u8 __user *page = page_before_a_hole(test);
	u8 b = 0;
	u16 w = 0;
	u32 l = 0;
	u64 q = 0;

	KUNIT_EXPECT_EQ(test, put_user(0x1122334455667788ULL, (u64 __user *)page), 0);
	KUNIT_EXPECT_EQ(test, get_user(b, page), 0);
	KUNIT_EXPECT_EQ(test, b, 0x88);
	KUNIT_EXPECT_EQ(test, get_user(w, (u16 __user *)(page + 1)), 0);
	KUNIT_EXPECT_EQ(test, w, 0x6677);
	KUNIT_EXPECT_EQ(test, get_user(l, (u32 __user *)(page + 3)), 0);
	KUNIT_EXPECT_EQ(test, l, 0x22334455);
	KUNIT_EXPECT_EQ(test, get_user(q, (u64 __user *)page), 0);
	KUNIT_EXPECT_EQ(test, q, 0x1122334455667788ULL);
}

static void bad_pointers(struct kunit *test)
{
	u8 __user *page = page_before_a_hole(test);
	u8 __user *hole = page + PAGE_SIZE;
	u32 value = 7;

	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)hole), -EFAULT);
	KUNIT_EXPECT_EQ(test, value, 0);
	KUNIT_EXPECT_EQ(test, put_user(value, (u32 __user *)hole), -EFAULT);
	/* Two bytes here, two there. */
	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)(hole - 2)), -EFAULT);
	KUNIT_EXPECT_EQ(test, put_user(value, (u32 __user *)(hole - 2)), -EFAULT);
	KUNIT_EXPECT_EQ(test, clear_user(hole - 100, 300), 200);
}

/* Every length and distance: nothing past the hole, nothing missing before it. */
static void copies_up_to_a_hole(struct kunit *test)
{
	u8 __user *page = page_before_a_hole(test);
	u8 __user *hole = page + PAGE_SIZE;
	u8 *buffer = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	unsigned int n, before, wrong = 0;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	for (n = 1; n < 400; n += n < 70 ? 1 : 37) {
		for (before = 0; before <= n; before += before < 20 ? 1 : 13) {
			u8 __user *from = hole - before;
			unsigned long left;

			memset(buffer, 0x5a, n);
			left = raw_copy_to_user(from, buffer, n);
			/* Short of the hole by less than the copy's widest step. */
			wrong += left < n - before || left > n;
			memset(buffer, 0, n);
			left = __copy_from_user(buffer, from, n);
			wrong += left < n - before || left > n;
			wrong += !!memchr_inv(buffer, 0x5a, n - left);
			if (before == n)
				wrong += left != 0;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void strings(struct kunit *test)
{
	u8 __user *page = page_before_a_hole(test);
	u8 __user *hole = page + PAGE_SIZE;
	char text[32];

	KUNIT_ASSERT_EQ(test, copy_to_user(hole - 6, "hello", 6), 0);
	KUNIT_EXPECT_EQ(test, strncpy_from_user(text, hole - 6, sizeof(text)), 5);
	KUNIT_EXPECT_STREQ(test, text, "hello");
	KUNIT_EXPECT_EQ(test, strnlen_user(hole - 6, 100), 6);
	KUNIT_EXPECT_EQ(test, strncpy_from_user(text, hole - 6, 3), 3);
	/* Without its end, the string runs into the hole. */
	KUNIT_ASSERT_EQ(test, put_user('!', hole - 1), 0);
	KUNIT_EXPECT_EQ(test, strncpy_from_user(text, hole - 6, sizeof(text)), -EFAULT);
	KUNIT_EXPECT_EQ(test, strnlen_user(hole - 6, 100), 0);
}

static void kernel_memory_that_is_absent(struct kunit *test)
{
	u64 value = 1, *absent = (u64 *)(unsigned long)page_before_a_hole(test) + PAGE_SIZE / 8;

	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, absent, sizeof(value)), -EFAULT);
	KUNIT_EXPECT_EQ(test, get_kernel_nofault(value, absent), -EFAULT);
	KUNIT_EXPECT_EQ(test, copy_to_kernel_nofault(absent, &value, sizeof(value)), -EFAULT);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(ranges),
	KUNIT_CASE(values),
	KUNIT_CASE(bad_pointers),
	KUNIT_CASE(copies_up_to_a_hole),
	KUNIT_CASE(strings),
	KUNIT_CASE(kernel_memory_that_is_absent),
	{}
};

static struct kunit_suite suite = {
	.name = "lkl_uaccess",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of accesses to user memory");
MODULE_LICENSE("GPL");
