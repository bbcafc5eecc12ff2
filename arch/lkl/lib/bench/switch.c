// SPDX-License-Identifier: GPL-2.0
/*
 * The cost of a switch between two kernel threads.
 *
 * Reading /sys/module/lkl_bench/parameters/switch makes two threads hand a
 * completion back and forth, and gives "SWITCHES NANOSECONDS".  Every hand-over
 * is one complete() and one wait_for_completion() that sleeps, hence one trip
 * through the scheduler.  The reader sleeps meanwhile: nothing else is runnable.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "bench.h"

#define ROUND_TRIPS	50000

struct game {
	struct completion to_ping, to_pong, over;
	u64 nanoseconds;
};

static int pong(void *arg)
{
	struct game *game = arg;
	int i;

	for (i = 0; i < ROUND_TRIPS; i++) {
		wait_for_completion(&game->to_pong);
		complete(&game->to_ping);
	}
	kthread_complete_and_exit(&game->over, 0);
}

static int ping(void *arg)
{
	struct game *game = arg;
	u64 start = ktime_get_ns();
	int i;

	for (i = 0; i < ROUND_TRIPS; i++) {
		complete(&game->to_pong);
		wait_for_completion(&game->to_ping);
	}
	game->nanoseconds = ktime_get_ns() - start;
	kthread_complete_and_exit(&game->over, 0);
}

static int get_switch(char *buffer, const struct kernel_param *kp)
{
	struct task_struct *first, *second;
	struct game game;

	init_completion(&game.to_ping);
	init_completion(&game.to_pong);
	init_completion(&game.over);

	first = kthread_create(pong, &game, "lkl_bench_pong");
	if (IS_ERR(first))
		return PTR_ERR(first);
	second = kthread_create(ping, &game, "lkl_bench_ping");
	if (IS_ERR(second)) {
		kthread_stop(first);
		return PTR_ERR(second);
	}
	/* pong is asleep in its wait before ping starts the clock. */
	wake_up_process(first);
	wake_up_process(second);
	wait_for_completion(&game.over);
	wait_for_completion(&game.over);

	return sysfs_emit(buffer, "%u %llu\n", 2 * ROUND_TRIPS, game.nanoseconds);
}

LKL_BENCH_PARAM(switch, get_switch);
