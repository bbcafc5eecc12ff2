// SPDX-License-Identifier: GPL-2.0
/*
 * The words of application threads.  Waits on a word outside the window of mmap()
 * are private to the process, whatever the caller says (the lkl_futex call): such
 * memory is the host's, and has no page here that could name it to others.  A task
 * that ends wakes who waits for a shared word, so what it leaves behind is seen to
 * here, before do_exit().
 */
#include <linux/mutex.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/futex.h>
#include <asm/lkl.h>

static bool is_shared(u32 __user *word)
{
	unsigned long addr = (unsigned long)word;

	return addr >= lkl_user_start && addr < lkl_user_end;
}

SYSCALL_DEFINE6(lkl_futex, u32 __user *, uaddr, int, op, u32, val,
		const struct __kernel_timespec __user *, timeout,
		u32 __user *, uaddr2, u32, val3)
{
	if (!is_shared(uaddr))
		op |= FUTEX_PRIVATE_FLAG;
	return sys_futex(uaddr, op, val, timeout, uaddr2, val3);
}

static void wake_one(u32 __user *word)
{
	int op = is_shared(word) ? FUTEX_WAKE : FUTEX_WAKE | FUTEX_PRIVATE_FLAG;

	do_futex(word, op, 1, NULL, NULL, 0, 0);
}

/* set_tid_address(): the word becomes 0, and who waits for that is woken. */
static void clear_word(void)
{
	u32 __user *word = (u32 __user *)current->clear_child_tid;

	current->clear_child_tid = NULL;
	if (word && !put_user(0, word))
		wake_one(word);
}

/*
 * What handle_futex_death() does.  False: the word cannot be reached.  The waiters
 * of a word with priority inheritance are woken by its state in the kernel.
 */
static bool give_up(u32 __user *word, bool inherits, bool pending)
{
	u32 value, seen;

	if ((unsigned long)word % sizeof(*word) || get_user(value, word))
		return false;
	while ((value & FUTEX_TID_MASK) == task_pid_vnr(current)) {
		u32 dead = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;

		if (futex_atomic_cmpxchg_inatomic(&seen, word, value, dead))
			return false;
		if (seen == value) {
			if (!inherits && (value & FUTEX_WAITERS))
				wake_one(word);
			return true;
		}
		value = seen;
	}
	/* Given up or not yet taken in the middle of an operation: nobody else may
	 * know of those who wait.
	 */
	if (pending && !inherits &&
	    (!(value & FUTEX_TID_MASK) || !(value & FUTEX_WAITERS)))
		wake_one(word);
	return true;
}

struct robust_entry {
	struct robust_list __user *node;
	bool inherits;
};

static bool fetch(struct robust_entry *entry, struct robust_list __user *__user *from)
{
	unsigned long value;

	if (get_user(value, (unsigned long __user *)from))
		return false;
	/* Bit 0 says that it is one with priority inheritance. */
	entry->node = (struct robust_list __user *)(value & ~1UL);
	entry->inherits = value & 1;
	return true;
}

/* set_robust_list(): locks that the task holds are marked as without an owner. */
static void give_up_robust_list(void)
{
	struct robust_list_head __user *head = current->robust_list;
	struct robust_entry entry, next, pending;
	unsigned int limit = ROBUST_LIST_LIMIT;
	bool more = true;
	long offset;

	/* The kernel shall not walk it again: others may own the entries by then. */
	current->robust_list = NULL;
	if (!head || !fetch(&entry, &head->list.next) ||
	    get_user(offset, &head->futex_offset) ||
	    !fetch(&pending, &head->list_op_pending))
		return;
	while (more && entry.node != &head->list && limit--) {
		/* The entry belongs to the next owner once it is given up. */
		more = fetch(&next, &entry.node->next);
		if (entry.node != pending.node &&
		    !give_up((void __user *)entry.node + offset, entry.inherits, false))
			return;
		entry = next;
		cond_resched();
	}
	if (pending.node)
		give_up((void __user *)pending.node + offset, pending.inherits, true);
}

/* The caller is about to end. */
void lkl_futex_exit(void)
{
	give_up_robust_list();
	clear_word();
}
