// SPDX-License-Identifier: GPL-2.0
/* From the host's first call to start_kernel(), and what setup_arch() does. */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/elfnote.h>
#include <linux/init.h>
#include <linux/init_task.h>
#include <linux/kasan.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/of_fdt.h>
#include <linux/panic_notifier.h>
#include <linux/sched/task_stack.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/start_kernel.h>
#include <asm/sections.h>
#include <asm/setup.h>
#include <asm/lkl.h>
#include <asm/lkl_lib.h>

struct lkl_vcpu lkl_vcpu;
struct lkl_host_ops lkl_host;
struct lkl_boot_info lkl_boot_info;

unsigned long lkl_vmalloc_start, lkl_vmalloc_end;
unsigned long lkl_user_start, lkl_user_end;

static char command_line[COMMAND_LINE_SIZE] __initdata;

ELFNOTE64(LKL_NOTE_NAME, LKL_NOTE_CHECKERS_MEMORY, CONFIG_LKL_CHECKERS_MEMORY * (u64)SZ_1M);

static long __init boot_fiber(void *unused)
{
	/* Before the first message, which comes before setup_arch(). */
	lkl_clock_init();
	start_kernel();
	return LKL_EXIT_DEAD;
}

static long __ref lkl_boot(void)
{
	struct lkl_stack_top *top = lkl_stack_top_of((unsigned long)init_stack);
	long reason;

	top->task = &init_task;
	lkl_vcpu.irq_disabled = ARCH_IRQ_DISABLED;
	if (lkl_host.fiber_switch)
		lkl_announce_stack((unsigned long)top);
	reason = lkl_call_on_stack((unsigned long)top, boot_fiber, NULL);
	if (lkl_host.fiber_switch)
		lkl_announce_stack(0);
	return reason;
}

/* The image's entry point, see lkl_entry_fn. */
int lkl_entry(const struct lkl_host_ops *host, const struct lkl_boot_info *info,
	      struct lkl_kernel_ops *kernel);

#ifdef CONFIG_KASAN
static unsigned long shadow_of(unsigned long address)
{
	return (unsigned long)kasan_mem_to_shadow((void *)address);
}
#endif

int lkl_entry(const struct lkl_host_ops *host, const struct lkl_boot_info *info,
	      struct lkl_kernel_ops *kernel)
{
	int __maybe_unused err;

	if (host->version != LKL_CONTRACT_VERSION || host->size != sizeof(*host) ||
	    info->size != sizeof(*info) || kernel->size != sizeof(*kernel))
		return -EINVAL;

#ifdef CONFIG_KASAN
	/* Before anything that the compiler checks; this file is not. */
	err = host->shadow(host->host, KASAN_SHADOW_START, KASAN_SHADOW_SIZE,
			   shadow_of(info->image_base),
			   shadow_of(info->user_end) - shadow_of(info->image_base));
	if (err)
		return err;
#endif
	lkl_host = *host;
	lkl_boot_info = *info;
	lkl_vmalloc_start = info->vmalloc_start;
	lkl_vmalloc_end = info->vmalloc_end;
	lkl_user_start = info->user_start;
	lkl_user_end = info->user_end;

	kernel->version = LKL_CONTRACT_VERSION;
	kernel->vcpu = &lkl_vcpu;
	kernel->boot = lkl_boot;
	kernel->enter = host->fiber_switch ? lkl_enter_announced : lkl_enter;
	kernel->run = host->fiber_switch ? lkl_run_announced : lkl_run;
	kernel->fixup = lkl_fixup;
	kernel->oops = lkl_oops;
	return 0;
}

/*
 * To charge each page to a control group takes a tenth of the time of reading a
 * file, and a program is seldom divided into groups: that is for those who ask.
 */
static int __init cgroup_enable(char *controllers)
{
	return 1;
}
__setup("cgroup_enable=", cgroup_enable);

void __init setup_arch(char **cmdline_p)
{
	strscpy(boot_command_line, CONFIG_CMDLINE " ", COMMAND_LINE_SIZE);
	if (IS_ENABLED(CONFIG_MEMCG) &&
	    !strstr(lkl_boot_info.command_line, "cgroup_enable=memory"))
		strlcat(boot_command_line, "cgroup_disable=memory ", COMMAND_LINE_SIZE);
	strlcat(boot_command_line, lkl_boot_info.command_line, COMMAND_LINE_SIZE);
	strscpy(command_line, boot_command_line, COMMAND_LINE_SIZE);
	*cmdline_p = command_line;

	setup_initial_init_mm(_stext, _etext, _edata, _end);
	/* All memory of mmap() is locked, see mm/mmap.c: other limits are for it. */
	current->signal->rlim[RLIMIT_MEMLOCK] = (struct rlimit) { RLIM_INFINITY, RLIM_INFINITY };
#ifdef CONFIG_KASAN
	init_task.kasan_depth = 0;
#endif
	lkl_console_init();
	lkl_cpu_init();
	parse_early_param();
	lkl_mem_setup();
	/* An empty tree, for drivers that add to it; nobody hands one over. */
	unflatten_device_tree();
}

void __init arch_cpu_finalize_init(void)
{
}

/* Time is the host's clock: there is no loop to calibrate. */
void calibrate_delay(void)
{
	loops_per_jiffy = NSEC_PER_SEC / HZ;
}

static int c_show(struct seq_file *m, void *v)
{
	seq_puts(m, "processor\t: 0\nmodel name\t: Linux Kernel Library\n\n");
	return 0;
}

static void *c_start(struct seq_file *m, loff_t *pos)
{
	return *pos < 1 ? (void *)1 : NULL;
}

static void *c_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return NULL;
}

static void c_stop(struct seq_file *m, void *v)
{
}

const struct seq_operations cpuinfo_op = {
	.start	= c_start,
	.next	= c_next,
	.stop	= c_stop,
	.show	= c_show,
};
