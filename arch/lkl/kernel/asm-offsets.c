// SPDX-License-Identifier: GPL-2.0
#define COMPILE_OFFSETS

#include <linux/kbuild.h>
#include <linux/sched.h>
#include <lkl/contract.h>

int main(void)
{
	OFFSET(VCPU_HOST_SP, lkl_vcpu, host_sp);
	OFFSET(VCPU_FIBER_SP, lkl_vcpu, fiber_sp);
	OFFSET(TASK_THREAD_SP, task_struct, thread.sp);
	DEFINE(STACK_TOP_SIZE, sizeof(struct lkl_stack_top));
	return 0;
}
