// SPDX-License-Identifier: GPL-2.0
#define COMPILE_OFFSETS

#include <linux/kbuild.h>
#include <linux/kcov.h>
#include <linux/sched.h>
#include <lkl/contract.h>

int main(void)
{
	OFFSET(VCPU_HOST_SP, lkl_vcpu, host_sp);
	OFFSET(VCPU_FIBER_SP, lkl_vcpu, fiber_sp);
	OFFSET(TASK_THREAD_SP, task_struct, thread.sp);
	DEFINE(STACK_TOP_SIZE, sizeof(struct lkl_stack_top));
#ifdef CONFIG_KCOV
	OFFSET(TASK_PREEMPT_COUNT, task_struct, thread_info.preempt_count);
	OFFSET(TASK_KCOV_MODE, task_struct, kcov_mode);
	OFFSET(TASK_KCOV_SIZE, task_struct, kcov_size);
	OFFSET(TASK_KCOV_AREA, task_struct, kcov_area);
	DEFINE(NOT_IN_TASK, NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET);
	DEFINE(MODE_TRACE_PC, KCOV_MODE_TRACE_PC);
	DEFINE(MODE_TRACE_CMP, KCOV_MODE_TRACE_CMP);
#endif
	return 0;
}
