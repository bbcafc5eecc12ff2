/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of arch/lkl offer each other, by the file that implements it. */
#ifndef _ASM_LKL_LKL_H
#define _ASM_LKL_LKL_H

#include <lkl/contract.h>
#include <asm/extable.h>
#include <asm/vcpu.h>

struct task_struct;

/* setup.c: what the host does for us, and what it told us */
extern struct lkl_host_ops lkl_host;
extern struct lkl_boot_info lkl_boot_info;

#define host_call(op, ...)	lkl_host.op(lkl_host.host, ##__VA_ARGS__)

/* switch.S */
long lkl_call_on_stack(unsigned long stack_top, long (*fn)(void *), void *arg);
long lkl_resume(void);
void lkl_suspend(long reason);
void lkl_ret_from_fork(void);

/* console.c */
void lkl_console_init(void);

/* vcpu.c */
long lkl_enter(struct lkl_thread *thread);
long lkl_run(struct lkl_thread *carrier);
long lkl_enter_announced(struct lkl_thread *thread);
long lkl_run_announced(struct lkl_thread *carrier);
void lkl_announce_stack(unsigned long sp);
void lkl_take_entries(void);

/* user.c */
long lkl_user_syscall(void *thread);
long lkl_user_off(void *thread);
long lkl_user_first(void);
void lkl_tell_done(struct task_struct *next);

/* init.c */
void lkl_init_spawn(struct lkl_thread *thread);
void __noreturn lkl_init_main(void);

/* signal.c */
long lkl_exit_work(struct lkl_thread *thread, long ret);

/* syscall.c */
long lkl_syscall(struct lkl_thread *thread);

/* futex.c */
#ifdef CONFIG_FUTEX
void lkl_futex_exit(void);
#else
static inline void lkl_futex_exit(void) {}
#endif

/* time.c */
void lkl_timer_interrupt(void);
void lkl_clock_init(void);

/* reboot.c */
void __noreturn lkl_double_fault(unsigned long address, unsigned long ip);

/* The linker's: the table of expected faults. */
extern struct exception_table_entry __start___ex_table[];
extern struct exception_table_entry __stop___ex_table[];

/* stacktrace.c, any thread */
unsigned long lkl_fixup(unsigned long ip);
void lkl_oops(unsigned long address, unsigned long ip);

/* setup.c, for fs/proc/cpuinfo.c, which declares it by itself */
extern const struct seq_operations cpuinfo_op;

/* mm/init.c */
void lkl_mem_setup(void);

/* mm/blocks.c */
void lkl_blocks_init(phys_addr_t start, phys_addr_t end);
void lkl_blocks_discarded(phys_addr_t start, size_t length);
bool lkl_blocks_in_use(void);

/* mm/mmap.c: an entry of the application's mm was cleared. */
void lkl_memory_lost(unsigned long addr);

#endif
