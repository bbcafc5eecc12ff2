// SPDX-License-Identifier: GPL-2.0
/* Switches between kernel threads: stacks, registers, and who is current. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <asm/current.h>
#include <asm/thread_info.h>

#define THREADS		16
#define SWITCHES	2000
#define REGISTERS	12
#define DEPTH		40

struct fiber {
	struct task_struct *task;
	struct completion done;
	u64 seed;
	unsigned long stack;
	unsigned int wrong_task, wrong_words, wrong_vectors;
};

/* A vector register: the compiler may keep it in one, or save it around the call. */
typedef u64 vector __attribute__((vector_size(16)));

/* Each word is used after the switch, so that it lies in a register or on this stack. */
static void switch_with_values(struct fiber *fiber, struct rnd_state *random)
{
	u64 words[REGISTERS], copies[REGISTERS];
	vector wide = { prandom_u32_state(random), fiber->seed }, kept = wide;
	int i;

	for (i = 0; i < REGISTERS; i++)
		words[i] = fiber->seed ^ prandom_u32_state(random);
	memcpy(copies, words, sizeof(copies));
	asm volatile("" : "+m" (copies), "+m" (kept));
	schedule();
	asm volatile("" : "+x" (wide));
	for (i = 0; i < REGISTERS; i++)
		fiber->wrong_words += words[i] != copies[i];
	fiber->wrong_vectors += wide[0] != kept[0] || wide[1] != kept[1];
	fiber->wrong_task += current != fiber->task;
}

static noinline unsigned int deep(struct fiber *fiber, unsigned int depth)
{
	volatile u64 frame[16];
	unsigned int sum, i;

	for (i = 0; i < ARRAY_SIZE(frame); i++)
		frame[i] = fiber->seed + depth * 16 + i;
	if (depth)
		sum = deep(fiber, depth - 1);
	else
		sum = 0, schedule();
	for (i = 0; i < ARRAY_SIZE(frame); i++)
		sum += frame[i] != fiber->seed + depth * 16 + i;
	return sum;
}

static int run_fiber(void *arg)
{
	struct fiber *fiber = arg;
	struct rnd_state random;
	int i;

	fiber->stack = (unsigned long)lkl_stack_top_of(current_stack_pointer);
	prandom_seed_state(&random, fiber->seed);
	for (i = 0; i < SWITCHES; i++)
		switch_with_values(fiber, &random);
	fiber->wrong_words += deep(fiber, DEPTH);
	kthread_complete_and_exit(&fiber->done, 0);
}

static void many_fibers(struct kunit *test)
{
	struct fiber *fibers = kunit_kcalloc(test, THREADS, sizeof(*fibers), GFP_KERNEL);
	int i, j;

	KUNIT_ASSERT_NOT_NULL(test, fibers);
	for (i = 0; i < THREADS; i++) {
		init_completion(&fibers[i].done);
		fibers[i].seed = 0x0123456789abcdefULL * (i + 1);
		fibers[i].task = kthread_create(run_fiber, &fibers[i], "lkl_fiber%d", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fibers[i].task);
		get_task_struct(fibers[i].task);
	}
	for (i = 0; i < THREADS; i++)
		wake_up_process(fibers[i].task);
	for (i = 0; i < THREADS; i++) {
		wait_for_completion(&fibers[i].done);
		put_task_struct(fibers[i].task);
		KUNIT_EXPECT_EQ(test, fibers[i].wrong_task, 0);
		KUNIT_EXPECT_EQ(test, fibers[i].wrong_words, 0);
		KUNIT_EXPECT_EQ(test, fibers[i].wrong_vectors, 0);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, fibers[i].stack, fibers[j].stack);
	}
}

static void stack_belongs_to_current(struct kunit *test)
{
	unsigned long stack = (unsigned long)task_stack_page(current);

	KUNIT_EXPECT_EQ(test, stack % THREAD_SIZE, 0);
	KUNIT_EXPECT_GE(test, current_stack_pointer, stack);
	KUNIT_EXPECT_LT(test, current_stack_pointer, stack + THREAD_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, lkl_stack_top_of(stack)->task, current);
	KUNIT_EXPECT_PTR_EQ(test, lkl_stack_top_of(stack + THREAD_SIZE - 1)->task, current);
}

/* The argument of a stack's first function, and an end without a return. */
static int exit_code(void *arg)
{
	return *(int *)arg;
}

static void first_function_returns(struct kunit *test)
{
	int code = -ENOTTY;
	struct task_struct *task = kthread_run(exit_code, &code, "lkl_exit");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	/* It may have ended or not have run yet; kthread_stop() tells them apart. */
	get_task_struct(task);
	schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), -ENOTTY);
	put_task_struct(task);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(stack_belongs_to_current),
	KUNIT_CASE(many_fibers),
	KUNIT_CASE(first_function_returns),
	{}
};

static struct kunit_suite suite = {
	.name = "lkl_switch",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of switches between fibers");
MODULE_LICENSE("GPL");
