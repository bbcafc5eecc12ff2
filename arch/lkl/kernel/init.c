// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1.  Its program is a file that this port puts into the root file
 * system and recognises: executing it makes the kernel's init thread a process,
 * with an address space and signals, that runs lkl_init_main().
 *
 * Application threads become threads of it: they share descriptors, working
 * directory, credentials and signal handlers, as threads of a process do.
 */
#include <linux/binfmts.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/lkl.h>

#define INIT_PATH	"/init"
#define INIT_MAGIC	"\177LKL init\n"

static int load_init(struct linux_binprm *bprm);

static struct linux_binfmt init_format = {
	.load_binary	= load_init,
};

static int load_init(struct linux_binprm *bprm)
{
	int err;

	if (memcmp(bprm->buf, INIT_MAGIC, sizeof(INIT_MAGIC) - 1))
		return -ENOEXEC;
	/* The kernel's own init thread alone has no thread group beside it yet. */
	if (!is_global_init(current))
		return -EACCES;
	err = begin_new_exec(bprm);
	if (err)
		return err;
	setup_new_exec(bprm);
	set_binfmt(&init_format);
	finalize_exec(bprm);
	return 0;
}

static int __init install_init(void)
{
	struct file *file;
	loff_t pos = 0;
	ssize_t n;

	register_binfmt(&init_format);
	file = filp_open(INIT_PATH, O_CREAT | O_WRONLY | O_TRUNC, 0700);
	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, INIT_MAGIC, sizeof(INIT_MAGIC) - 1, &pos);
	/* At once: execve() wants that nobody has it open for writing. */
	__fput_sync(file);
	return n < 0 ? n : 0;
}
late_initcall_sync(install_init);

/* Threads that wait for a task; the interrupt handler adds, init takes. */
static struct lkl_thread *spawn_list, **spawn_tail = &spawn_list;
static struct task_struct *init_process;

void lkl_init_spawn(struct lkl_thread *thread)
{
	thread->next = NULL;
	*spawn_tail = thread;
	spawn_tail = &thread->next;
	if (init_process)
		wake_up_process(init_process);
}

static struct lkl_thread *take_spawn(void)
{
	struct lkl_thread *thread;
	unsigned long flags;

	local_irq_save(flags);
	thread = spawn_list;
	if (thread) {
		spawn_list = thread->next;
		if (!spawn_list)
			spawn_tail = &spawn_list;
	}
	local_irq_restore(flags);
	return thread;
}

static void spawn(struct lkl_thread *thread)
{
	struct kernel_clone_args args = {
		.flags	= CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			  CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS,
		.tls	= (unsigned long)thread,
	};
	pid_t pid;

	/* The new task looks for its first request, see lkl_user_first(). */
	thread->accepted = 1;
	pid = kernel_clone(&args);
	if (pid < 0) {
		thread->accepted = 0;
		thread->ret = pid;
		host_call(thread_done, thread);
	}
}

void __noreturn lkl_init_main(void)
{
	struct lkl_thread *thread;
	sigset_t all;

	/* exec left the area for a program's stack. */
	vm_munmap(0, TASK_SIZE);
	/* Children, if a kernel thread leaves any behind, vanish by themselves. */
	kernel_sigaction(SIGCHLD, SIG_IGN);

	/*
	 * A signal to the process is for a thread that comes out of a call, and this
	 * one never does.
	 */
	sigfillset(&all);
	set_current_blocked(&all);

	init_process = current;
	host_call(booted);
	for (;;) {
		set_current_state(TASK_IDLE);
		thread = take_spawn();
		if (!thread) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		spawn(thread);
	}
}
