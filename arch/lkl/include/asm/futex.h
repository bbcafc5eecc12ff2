/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_FUTEX_H
#define _ASM_LKL_FUTEX_H

#include <linux/futex.h>
#include <linux/uaccess.h>

/* Real atomics: application threads change these words beside the kernel. */

static inline int
futex_atomic_cmpxchg_inatomic(u32 *uval, u32 __user *uaddr, u32 oldval, u32 newval)
{
	int err = 0;

	if (!access_ok(uaddr, sizeof(u32)))
		return -EFAULT;

	asm volatile("1:	lock; cmpxchgl %3,%1\n"
		     "2:\n"
		     ".pushsection .text.fixup, \"ax\"\n"
		     "3:	movl %4,%0\n"
		     "	jmp 2b\n"
		     ".popsection\n"
		     _ASM_EXTABLE(1b, 3b)
		     : "+r" (err), "+m" (*(u32 __force *)uaddr), "+a" (oldval)
		     : "r" (newval), "i" (-EFAULT) : "memory", "cc");
	*uval = oldval;
	return err;
}

static inline int
arch_futex_atomic_op_inuser(int op, u32 oparg, int *oval, u32 __user *uaddr)
{
	u32 old, seen, new;
	int err;

	if (!access_ok(uaddr, sizeof(u32)))
		return -EFAULT;

	err = __get_user(old, uaddr);
	while (!err) {
		switch (op) {
		case FUTEX_OP_SET:
			new = oparg;
			break;
		case FUTEX_OP_ADD:
			new = old + oparg;
			break;
		case FUTEX_OP_OR:
			new = old | oparg;
			break;
		case FUTEX_OP_ANDN:
			new = old & ~oparg;
			break;
		case FUTEX_OP_XOR:
			new = old ^ oparg;
			break;
		default:
			return -ENOSYS;
		}
		err = futex_atomic_cmpxchg_inatomic(&seen, uaddr, old, new);
		if (!err && seen == old) {
			*oval = old;
			break;
		}
		old = seen;
	}
	return err;
}

#endif
