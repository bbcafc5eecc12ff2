/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the kernel image and the host library.
 *
 * This header, with lkl/vcpu.h, is all that both compile worlds see.  It uses nothing but
 * the compiler's own types, so that kernel C and host C++ read it alike.  A
 * change to any structure or meaning here raises LKL_CONTRACT_VERSION; the
 * kernel refuses a host whose version or structure sizes differ.
 *
 * Terms
 *   image      the position-independent kernel, mapped by the host
 *   vCPU       what runs kernel code; one host thread at a time holds it
 *   carrier    the host thread that holds the vCPU at the moment
 *   fiber      a kernel task's stack and saved registers
 *   home       the host thread on whose behalf a kernel task was made
 */
#ifndef _LKL_CONTRACT_H
#define _LKL_CONTRACT_H

#define LKL_CONTRACT_VERSION	4

#include <lkl/vcpu.h>

/*
 * An ELF note of the image: 8 bytes, the memory in bytes that its checkers take and
 * that the host adds to what the program asked for.  Without it, none.
 */
#define LKL_NOTE_NAME		"LKL"
#define LKL_NOTE_CHECKERS_MEMORY	1

#ifndef __ASSEMBLY__

/* lkl_thread.request: what an application thread wants from its kernel task. */
enum lkl_request {
	LKL_REQ_NONE = 0,
	LKL_REQ_SYSCALL,	/* run system call nr with args, result in ret */
	LKL_REQ_EXIT,		/* end the kernel task; done is posted before */
};

/*
 * An application thread as one kernel sees it.  The host allocates it and
 * keeps it until the kernel has posted LKL_REQ_EXIT's completion.
 *
 * nr, args, request are written by the home thread before it publishes the
 * thread (by an entry, or by holding the vCPU), and are the kernel's until it
 * has posted the completion.
 */
struct lkl_thread {
	/* The kernel's part. */
	void *task;			/* struct task_struct, 0 before the first call */
	unsigned long stack_top;	/* of the task's kernel stack */
	unsigned int request;		/* enum lkl_request */
	unsigned int accepted;		/* kernel: taken off the entry list */
	unsigned int complete;		/* kernel: the request is, on another carrier;
					 * the home thread clears it
					 */
	long nr;
	long args[6];
	long ret;
	struct lkl_thread *next;	/* link of lkl_vcpu.entries or lkl_vcpu.done */

	/*
	 * A signal that the home thread handles once the call is complete: it
	 * calls the handler, sets the mask by rt_sigprocmask(), and makes the
	 * call again if it was interrupted and is to be restarted.  signo is 0
	 * without one; the home thread clears it.
	 */
	struct {
		unsigned long handler;	/* void (*)(int, siginfo_t *, void *) */
		unsigned long mask;	/* blocked set to restore afterwards */
		int signo;
		int restart;
		unsigned char info[128];	/* siginfo_t */
	} signal;
};

/* Why the image returned to the host. */
enum lkl_exit {
	LKL_EXIT_DONE = 0,	/* carrier's own request is complete */
	LKL_EXIT_DONE_MORE,	/* the same, and others are runnable: release, then
				 * have somebody else carry (LKL_IRQ_RESCHED)
				 */
	LKL_EXIT_IDLE,		/* nothing is runnable: release and wait */
	LKL_EXIT_DEAD,		/* halted or panicked: never enter again */
};

/* Why a kernel ended; the argument of lkl_host_ops.dead(). */
enum lkl_death {
	LKL_DEATH_HALT = 1,	/* reboot(2): power off, halt or restart */
	LKL_DEATH_PANIC,	/* panic(), BUG(), or an oops */
};

/* Memory that the host makes available at once; a large page of the processor. */
#define LKL_BLOCK_SIZE	(2ul << 20)

/* Protections of lkl_host_ops.map(). */
#define LKL_MAP_READ	1
#define LKL_MAP_WRITE	2
#define LKL_MAP_EXEC	4

/*
 * What the host does for the kernel.  Every operation runs on the carrier, on
 * a kernel stack (32 KiB: no large frames, no recursion), holds the vCPU, and
 * must not call back into the kernel.  None blocks unless it says so.  "host"
 * is the handle of this structure.
 */
struct lkl_host_ops {
	unsigned int version;		/* LKL_CONTRACT_VERSION */
	unsigned int size;		/* sizeof(struct lkl_host_ops) */
	void *host;

	/* Console: one or more whole lines of the kernel log, not terminated.
	 * Null when nobody listens.
	 */
	void (*print)(void *host, const char *text, unsigned long length);

	/* Clocks in nanoseconds: since an arbitrary point, and since 1970. */
	unsigned long (*clock_monotonic)(void *host);
	unsigned long (*clock_realtime)(void *host);

	/* Raise LKL_IRQ_TIMER once the monotonic clock reaches deadline (0: now,
	 * ~0: never).  Replaces the deadline given before.
	 */
	void (*timer_arm)(void *host, unsigned long deadline);

	/* Map [pa, pa+length) of physical memory at va inside the reserved ranges,
	 * replacing what is there.  0 or negative errno (-ENOMEM: the host's limit
	 * of mappings).
	 */
	int (*map)(void *host, unsigned long va, unsigned long pa,
		   unsigned long length, unsigned int prot);

	/* Make [va, va+length) inaccessible again.  Cannot fail. */
	void (*unmap)(void *host, unsigned long va, unsigned long length);

	/* Make [va, va+length) memory that reads as zero until it is written, for
	 * all kernels of the process together, and [own, own+own_length) in it zero
	 * again now and when this kernel is gone.  0 or negative errno.  May be
	 * called from the entry point.
	 */
	int (*shadow)(void *host, unsigned long va, unsigned long length,
		      unsigned long own, unsigned long own_length);

	/* [pa, pa+length), blocks of LKL_BLOCK_SIZE bytes aligned to that, is about to
	 * be used: make its pages available together, rather than one by one as they
	 * are touched.  Their contents stay.  May take as long as that does.  0; 1: not now,
	 * ask again; or negative errno: never, pages come as they are touched.
	 */
	int (*prepare)(void *host, unsigned long pa, unsigned long length);

	/* Physical pages hold nothing of value: give them back to the host. They
	 * read as zero afterwards or keep their old contents.
	 */
	void (*discard)(void *host, unsigned long pa, unsigned long length);

	/* Access to a device register; size is 1, 2, 4 or 8 bytes, address is the
	 * "physical" address under which the device was announced.
	 */
	unsigned long (*mmio_read)(void *host, unsigned long address, unsigned int size);
	void (*mmio_write)(void *host, unsigned long address, unsigned long value,
			   unsigned int size);

	/* Random bytes of cryptographic quality.  May block early in host boot. */
	void (*random)(void *host, void *buffer, unsigned long length);

	/* The request of a thread that does not carry is complete: wake its home.
	 * The thread belongs to the home from here on.  The kernel rather puts it
	 * on lkl_vcpu.done, for the host to do the same once it has released the
	 * vCPU, unless the carrier has other work to do before.
	 */
	void (*thread_done)(void *host, struct lkl_thread *thread);

	/* Boot is over: init runs, entries are accepted. */
	void (*booted)(void *host);

	/* The kernel ended.  The image suspends its carrier with LKL_EXIT_DEAD
	 * right after.  text is the end of the kernel log for LKL_DEATH_PANIC.
	 */
	void (*dead)(void *host, enum lkl_death why, const char *text,
		     unsigned long length);

	/* The carrier's stack changes.  Before it does: it goes on at
	 * [stack, stack + LKL_STACK_SIZE).  0, after it did: it is back on the host
	 * stack on which it called boot, enter or run, the one case where this
	 * operation does not run on a kernel stack.  Null unless the host wants to
	 * know (AddressSanitizer, valgrind).
	 */
	void (*fiber_switch)(void *host, unsigned long stack);
};

/*
 * What the kernel is told about the world at its start.  The host has mapped
 * the image at image_base and relocated it; memory follows the image in both
 * virtual and physical addresses, physical address 0 being image_base, and both
 * image_base and memory_start are aligned to LKL_BLOCK_SIZE.
 */
struct lkl_boot_info {
	unsigned int size;		/* sizeof(struct lkl_boot_info) */
	unsigned long image_base;
	unsigned long memory_start;	/* virtual; what the image leaves before it reads
					 * as zero
					 */
	unsigned long memory_end;	/* one readable page follows */
	unsigned long vmalloc_start, vmalloc_end;
	unsigned long user_start, user_end;	/* mmap() of application threads */
	const char *command_line;
};

/*
 * What the host may call.  The caller holds the vCPU for boot, enter and run,
 * and calls on a host stack; each returns an enum lkl_exit.
 */
struct lkl_kernel_ops {
	unsigned int version;
	unsigned int size;
	struct lkl_vcpu *vcpu;

	/* Run the kernel from its start until it is idle for the first time. */
	long (*boot)(void);

	/* Run the carrier thread's request. thread->task is set, or the thread was
	 * put on lkl_vcpu.entries with LKL_IRQ_ENTRY pending.
	 * LKL_EXIT_DONE: thread->ret is valid.
	 */
	long (*enter)(struct lkl_thread *thread);

	/*
	 * Take pending interrupts and run what is runnable. carrier: the thread
	 * whose completion ends the run, or 0.
	 */
	long (*run)(struct lkl_thread *carrier);

	/* Any thread, no lock: where to continue after a fault at ip of the image,
	 * or 0 when the image does not expect one there.
	 */
	unsigned long (*fixup)(unsigned long ip);

	/* On the stack of a faulting fiber, as if called at ip, which fixup() does
	 * not know: report an invalid access to address, and end the kernel.
	 */
	void (*oops)(unsigned long address, unsigned long ip);
};

/* The image's ELF entry point.  Checks versions and sizes, keeps both tables'
 * contents, fills *kernel.  Runs on the caller's stack.  0 or -EINVAL.
 */
typedef int (*lkl_entry_fn)(const struct lkl_host_ops *host,
			    const struct lkl_boot_info *info,
			    struct lkl_kernel_ops *kernel);

#endif /* __ASSEMBLY__ */
#endif /* _LKL_CONTRACT_H */
