// SPDX-License-Identifier: GPL-2.0
/*
 * FIFREEZE for whoever leaves the kernel behind: for every file system.  The ioctl is for
 * those alone that have work of their own to do; that writers are waited for and held off,
 * and all is written back, is done for any of them.
 *
 * It is a hold beside that of the ioctl: neither takes the other one's away.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/syscalls.h>

static long freeze(struct super_block *sb)
{
	if (sb->s_op->freeze_super)
		return sb->s_op->freeze_super(sb, FREEZE_HOLDER_KERNEL);
	return freeze_super(sb, FREEZE_HOLDER_KERNEL);
}

static long thaw(struct super_block *sb)
{
	struct percpu_rw_semaphore *writers = &sb->s_writers.rw_sem[SB_FREEZE_WRITE - 1];
	bool turned;
	long ret;

	if (sb->s_op->thaw_super)
		return sb->s_op->thaw_super(sb, FREEZE_HOLDER_KERNEL);
	/* thaw_super() lets no writer go where there are none.  FAT and others turn
	 * read-only for an error that somebody finds who reads meanwhile.
	 */
	turned = sb_rdonly(sb) && percpu_is_write_locked(writers);
	if (turned)
		sb->s_flags &= ~SB_RDONLY;
	ret = thaw_super(sb, FREEZE_HOLDER_KERNEL);
	if (turned)
		sb->s_flags |= SB_RDONLY;
	return ret;
}

/* The file system that is mounted at a place. */
SYSCALL_DEFINE2(lkl_freeze, const char __user *, place, int, on)
{
	struct path path;
	long ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	ret = user_path_at(AT_FDCWD, place, LOOKUP_FOLLOW, &path);
	if (ret)
		return ret;
	ret = on ? freeze(path.dentry->d_sb) : thaw(path.dentry->d_sb);
	path_put(&path);
	return ret;
}
