// SPDX-License-Identifier: GPL-2.0
/*
 * mount(2).  Linux copies a page of options, or what of it can be read: where the text
 * ends is for the file system to know.  Here what follows the text may be no memory of the
 * program, and a read of it a fault that nobody handles.  So a text is read to its end,
 * and a page only for a structure.  These begin with a version, of which the first byte is
 * one that no text begins with.
 */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <uapi/linux/mount.h>

static bool is_binary(const struct file_system_type *type)
{
	return type->fs_flags & FS_BINARY_MOUNTDATA;
}

static bool is_binary_by_name(const char __user *name)
{
	struct file_system_type *type;
	char *copy = strndup_user(name, PATH_MAX);
	bool binary;

	if (IS_ERR(copy))
		return false;
	type = get_fs_type(copy);
	binary = type && is_binary(type);
	if (type)
		put_filesystem(type);
	kfree(copy);
	return binary;
}

/* What is mounted there already: for MS_REMOUNT, which needs no type. */
static bool is_binary_by_place(const char __user *dir)
{
	struct path path;
	bool binary;

	if (user_path_at(AT_FDCWD, dir, LOOKUP_FOLLOW, &path))
		return false;
	binary = is_binary(path.dentry->d_sb->s_type);
	path_put(&path);
	return binary;
}

SYSCALL_DEFINE5(lkl_mount, char __user *, dev_name, char __user *, dir_name,
		char __user *, type, unsigned long, flags, void __user *, data)
{
	char *source = NULL, *name = NULL, *options;
	u8 first;
	long ret;

	if (!data)
		return sys_mount(dev_name, dir_name, type, flags, NULL);
	if (get_user(first, (u8 __user *)data))
		return -EFAULT;
	if (first > 0 && first < ' ' &&
	    (flags & MS_REMOUNT ? is_binary_by_place(dir_name) :
				  type && is_binary_by_name(type)))
		return sys_mount(dev_name, dir_name, type, flags, data);

	/* do_mount() ends the page with a 0. */
	options = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!options)
		return -ENOMEM;
	ret = strncpy_from_user(options, data, PAGE_SIZE);
	if (ret < 0)
		goto out_options;
	if (type) {
		name = strndup_user(type, PATH_MAX);
		ret = PTR_ERR_OR_ZERO(name);
		if (ret)
			goto out_options;
	}
	if (dev_name) {
		source = strndup_user(dev_name, PATH_MAX);
		ret = PTR_ERR_OR_ZERO(source);
		if (ret)
			goto out_name;
	}
	ret = do_mount(source, dir_name, name, flags, options);
	kfree(source);
out_name:
	kfree(name);
out_options:
	kfree(options);
	return ret;
}
