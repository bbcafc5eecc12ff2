/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Linux kernel as a library, for C.
 *
 * A program has one kernel of this interface; lkl/kernel.hpp has any number of
 * them.  The order of calls is
 *
 *	lkl_init(&lkl_host_ops);
 *	lkl_start_kernel("mem=64M");
 *	... lkl_disk_add(), lkl_mount_dev(), lkl_sys_open() ...
 *	lkl_sys_halt();
 *	lkl_cleanup();
 *
 * and may be repeated.  Disks and network interfaces may be added before the start as
 * well.  Errors are negative error numbers of the kernel,
 * -LKL_ENOENT for instance, which are those of Linux on x86; errno is not used.
 *
 * A pointer that is null where it is not said that it may be is -LKL_EINVAL, or a null one
 * where a pointer is returned, and lkl_error_message() names the function; -LKL_ENOMEM is
 * possible anywhere.  System calls give their pointers to the kernel as they are, see
 * lkl_set_fault_handler().
 *
 * Threads: system calls, and the functions on disks, mounts and directories, may be
 * called by any thread at any time, from after lkl_start_kernel() to before
 * lkl_cleanup(); so may those on settings, and those that add and remove devices also
 * from after lkl_init() on.  A thread that makes its first call becomes a thread of the
 * kernel's process 1.  lkl_init(), lkl_start_kernel() and lkl_cleanup() are for one
 * thread at a time, while no other one calls anything.  What the library starts
 * threads for is said in lkl/kernel.hpp, lkl/disk.hpp, lkl/net.hpp and lkl_host.h.
 *
 * A child of fork(2) has no kernel: system calls and lkl_sys_halt() return -LKL_ECHILD
 * there, and lkl_cleanup() and then lkl_init() give it one of its own.  Disks in files,
 * also those that wait for the start, stay the parent's.
 */
#ifndef LKL_H
#define LKL_H

#include <stdint.h>

#include <lkl/api.h>
#include <lkl/interfaces.h>
#include <lkl/legacy.h>
#include <lkl/netdev.h>
#include <lkl/syscalls.h>
#include <lkl/types.h>
#include <lkl_host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Start and stop. */

/*
 * To be called first, with the services of the host: &lkl_host_ops, or a structure
 * that stays as long as the library is used.  -LKL_EINVAL without one, -LKL_EBUSY
 * while there is a kernel.
 */
LKL_API int lkl_init(struct lkl_host_operations *ops);

/*
 * Whether bad pointers are an error of the system call that gets them: a kernel that
 * is booted after lkl_set_fault_handler(1) returns -LKL_EFAULT for them, and a fault
 * of its own code is a panic, after which its calls return -LKL_EIO.  Otherwise, as
 * at first and after lkl_cleanup(), either is what it is for any library: SIGSEGV or
 * SIGBUS.
 *
 * To be called between lkl_init() and lkl_start_kernel().  The library handles those
 * two signals of the process from lkl_start_kernel() to lkl_cleanup(), and all other
 * faults go on to the handler that was there before; a handler that the program
 * installs in between takes the place of the library's.  0, -LKL_EINVAL (lkl_init() was
 * not called), or -LKL_EBUSY (there is a kernel).
 */
LKL_API int lkl_set_fault_handler(int enable);

/*
 * Has `log` called with each line of the log of the kernel that is booted next, in place
 * of lkl_host_operations.print: its level, from 0 (an emergency) over 3 (an error), 4 (a
 * warning) and 6 (information) to 7 (for debugging), as in syslog(2), and its `len` bytes,
 * a newline the last.  Lines of level 7 come with `loglevel=8` on the kernel's command
 * line.  On whichever thread runs the kernel at the moment, which must not call the
 * kernel; calls do not overlap.  Null, as at first and after lkl_cleanup(): `print` is
 * called.
 *
 * To be called between lkl_init() and lkl_start_kernel().  0, -LKL_EINVAL (lkl_init() was
 * not called), or -LKL_EBUSY (there is a kernel).
 */
LKL_API int lkl_set_log(void (*log)(int level, const char *text, int len));

/*
 * Boots the kernel; the format and its arguments make the kernel's command line, as
 * with printf(3), of 3072 bytes at most.  `mem=SIZE` gives the kernel's memory, in
 * bytes, or with the suffix K, M or G; it is 64M otherwise, and 24M at least (16M for the
 * tiny kernel).  Memory is not used before the kernel does.  When it runs out, the kernel
 * panics: there is no process but the program's that could be killed in its place.
 *
 * 0, or -LKL_EINVAL (lkl_init() was not called, or the size is no number),
 * -LKL_EBUSY (it was booted before; lkl_cleanup() first), -LKL_ENOENT (no kernel
 * image), -LKL_ENOEXEC (a wrong or damaged one), -LKL_E2BIG (the command line is too
 * long), -LKL_ENOMEM, -LKL_EFBIG (more memory than the process's limit for files,
 * RLIMIT_FSIZE, allows), -LKL_EMFILE (the process has no descriptor left, or too many
 * kernels with lkl_set_fault_handler()), -LKL_EAGAIN (no thread), -LKL_EIO (it panicked).
 * lkl_error_message() says more.
 *
 * Disks and network interfaces that were added before are added now, in the order of their
 * numbers, disks first.  When one of them cannot be, no kernel runs, the error is the one
 * that lkl_disk_add() or lkl_netdev_add() would have returned, lkl_error_message() names
 * the device, and all devices that were added are removed.  After any other failure they
 * are there for the next lkl_start_kernel().
 */
LKL_API int lkl_start_kernel(const char *fmt, ...) LKL_PRINTF(1, 2);

/*
 * Writes everything back, shuts the kernel down, and flushes the disks.  Calls in flight
 * return -LKL_ESHUTDOWN, as all further ones do.  For any thread, whatever user it has
 * become.  0, -LKL_ESHUTDOWN (no kernel runs, or it was halted before), -LKL_ECHILD (in a
 * child of fork(2)), or -LKL_EIO (it is halted, but it had panicked, before or meanwhile, or
 * what was written is not all on stable storage; lkl_error_message() says which).  What
 * could not be written back is told of file systems that lkl_mount_dev() has mounted, where
 * they are mounted still, wherever that is and whatever hides them, and of what is known
 * to be lost of those that lkl_sys_umount() has unmounted; of others it is in the kernel's
 * log alone.
 *
 * -LKL_EAGAIN, -LKL_ENOMEM (no room for a thread, see lkl_syscall()), -LKL_EPERM (nor for one
 * that has the right to, where the calling one has not): the kernel runs on, and the next call
 * tells what this one would have told.
 */
LKL_API long lkl_sys_halt(void);

/*
 * Frees what lkl_init() and lkl_start_kernel() made; halts the kernel if it still
 * runs.  No other thread may be in a call.
 */
LKL_API void lkl_cleanup(void);

/*
 * 1 from a successful lkl_start_kernel() to lkl_sys_halt(), a panic or a lkl_sys_reboot()
 * that ends the kernel, else 0.
 */
LKL_API int lkl_is_running(void);

/*
 * The end of the kernel's log after a panic, "" before.  The text is the calling
 * thread's, and stays until that thread calls this function again.
 */
LKL_API const char *lkl_panic_message(void);

/* System calls are in lkl/syscalls.h and lkl/legacy.h; this is all of them. */

/*
 * The system call `no` (__lkl__NR_...) with six parameters.  Returns what the
 * kernel returns; -LKL_ESHUTDOWN where none runs, -LKL_EIO after a panic, -LKL_ECHILD in a
 * child of fork(2), -LKL_EFAULT where `params` is null.  With a thread's first call also
 * -LKL_EAGAIN or -LKL_ENOMEM: there is no room for one more thread in the kernel
 * (kernel.threads-max) or this process; the next call tries again.
 */
LKL_API long lkl_syscall(long no, long *params);

/* Errors and messages. */

/* The text for an error number, negative or not. Constant; for any thread. */
LKL_API const char *lkl_strerror(int err);

/* Writes "MSG: TEXT" and a newline to the standard error output; null or "": no MSG. */
LKL_API void lkl_perror(const char *msg, int err);

/*
 * One line on the last function of lkl.h that failed in the calling thread: the operation,
 * the object and the reason. "" when none has. Stays until the thread's next such failure.
 * System calls are none, nor what is made of them: functions on directories,
 * lkl_set_fd_limit().
 */
LKL_API const char *lkl_error_message(void);

/*
 * Prints by lkl_host_operations.print, or to the standard error output where there
 * is none.  Returns the number of bytes, or a negative error number.  For any thread,
 * but not during lkl_init() and lkl_cleanup(); `print` may be called by several then.
 */
LKL_API int lkl_printf(const char *fmt, ...) LKL_PRINTF(1, 2);

/*
 * Prints like lkl_printf(), then ends the program by lkl_host_operations.panic, or by
 * abort(3), also when that returns.  For any thread, as lkl_printf().
 */
LKL_API void lkl_bug(const char *fmt, ...) LKL_PRINTF(1, 2) __attribute__((noreturn));

/* Disks. */

/*
 * Adds a virtio disk to the running kernel, and waits until the kernel has read the
 * partition table.  See struct lkl_disk.  Between lkl_init() and lkl_start_kernel() the
 * disk is opened, and lkl_start_kernel() adds it to the kernel.
 *
 * Without `ops` the disk is the file that `fd` is open for: a regular file or a
 * block device; read-only if `fd` is, past the host's page cache if `fd` is
 * O_DIRECT.  `fd` is duplicated, the caller's may be closed.  The file is locked: to
 * itself for writing, shared for reading; a block device that is written to is claimed, as
 * by O_EXCL, for which `fd` needs not be opened with it (lkl/disk.hpp).
 *
 * Returns the disk's number, from 0 on, or -LKL_ESHUTDOWN (lkl_init() was not called, or the
 * kernel was halted), -LKL_EBUSY (the file is in use), -LKL_EINVAL (a member is missing, or
 * the size of a file that is written to is not a multiple of 512: one that is only read is
 * padded with zeroes), -LKL_EBADF (`fd` is not open for reading), -LKL_EAGAIN (no thread for
 * `ops`), -LKL_ENOSPC (a kernel has at most 56 devices, disks and network interfaces
 * together), and the errors of the host.
 */
LKL_API int lkl_disk_add(struct lkl_disk *disk);

/*
 * Removes the disk when the requests in flight are done and what was written is flushed;
 * one that waits for the start of the kernel is closed. 0, -LKL_EBUSY (mounted),
 * -LKL_EINVAL (no such disk), -LKL_EIO (the flush has failed: a loss of power may take back
 * what was written; the disk is removed all the same).  A disk that is there at
 * lkl_sys_halt() is removed by it; this function then returns 0.
 */
LKL_API int lkl_disk_remove(struct lkl_disk disk);

/*
 * The device number of partition `part` of a disk, or of the whole disk when that is
 * 0, in the form of struct lkl_stat.st_rdev. 0, -LKL_EINVAL (no such disk),
 * -LKL_ENXIO (no such partition).
 */
LKL_API int lkl_get_virtio_blkdev(int disk_id, unsigned int part, uint32_t *pdevid);

/* Mounts. */

/*
 * Mounts partition `part` of a disk (0: the whole disk) on a directory below /mnt,
 * whose path is stored in `mnt_str` (32 bytes are enough).  `flags`: LKL_MS_...;
 * `opts`: options of the file system, separated by commas, or null.  Unless the file system
 * is read-only, a descriptor of the kernel's is open for the device until it is unmounted.
 *
 * 0, -LKL_EINVAL (no such disk), -LKL_ENXIO (no such partition), -LKL_ENODEV (no such
 * file system in this kernel), -LKL_EBUSY (mounted already), -LKL_ENOMEM (the path is
 * too long for `mnt_str`, nothing is mounted), and the file system's own.
 */
LKL_API long lkl_mount_dev(unsigned int disk_id, unsigned int part, const char *fs_type, int flags,
			   const char *opts, char *mnt_str, unsigned int mnt_str_len);

/*
 * Unmounts what lkl_mount_dev() mounted, when it is written back, and flushes the disk: after
 * 0 what was written is on stable storage.  (That is not said of what was mounted read-only.)
 * While the file system is busy it is tried again, for `timeout_ms` milliseconds; a negative
 * number is for ever.  `flags` are those of umount2(2); with MNT_EXPIRE that is all that is
 * done.
 *
 * -LKL_EIO, -LKL_ENOSPC, -LKL_EROFS (the file system has stopped writing by itself) and the
 * like: something could not be written since the mount, and may be lost; it is unmounted all
 * the same.  -LKL_EBUSY: it stays mounted; also where something else is mounted over it, and
 * where it is the root of lkl_sys_chroot(), and while another thread unmounts it.
 * -LKL_ENOENT, -LKL_EINVAL: it is not mounted, by lkl_sys_umount() for instance; -LKL_EINVAL
 * and -LKL_ENXIO also as above.
 */
LKL_API long lkl_umount_dev(unsigned int disk_id, unsigned int part, int flags, long timeout_ms);

/*
 * The same for any path to where something is mounted, however it is spelled; the directory
 * that is removed is that of lkl_mount_dev(), wherever it was moved to.  Of what
 * lkl_mount_dev() did not mount, nothing but umount2(2) tells what was written, and the
 * directory stays.
 */
LKL_API long lkl_umount_timeout(const char *path, int flags, long timeout_ms);

/*
 * Mounts a file system that needs no disk on a directory of its own name: "proc" on
 * /proc, "sysfs" on /sysfs. 0, 1 when it was there before, or a negative error number.
 */
LKL_API int lkl_mount_fs(const char *fstype);

/* Directories. */

struct lkl_dir;

/*
 * Opens a directory. Null on failure, with a negative error number in *err (which is
 * 0 otherwise). A directory belongs to one thread at a time.
 */
LKL_API struct lkl_dir *lkl_opendir(const char *path, int *err);

/* The same for an open descriptor, which lkl_closedir() closes. */
LKL_API struct lkl_dir *lkl_fdopendir(int fd, int *err);

/*
 * The next entry, "." and ".." among them, in the order of the file system. Null at
 * the end and on failure: lkl_errdir() knows which. The entry stays until the next
 * call of lkl_readdir(), lkl_rewinddir() or lkl_closedir().
 */
LKL_API struct lkl_linux_dirent64 *lkl_readdir(struct lkl_dir *dir);

/* The error of the last lkl_readdir() or lkl_rewinddir(), or 0. */
LKL_API int lkl_errdir(struct lkl_dir *dir);

/* Starts again with the first entry. */
LKL_API void lkl_rewinddir(struct lkl_dir *dir);

/* The directory's descriptor. */
LKL_API int lkl_dirfd(struct lkl_dir *dir);

/* Closes it, and returns what close(2) returns. */
LKL_API int lkl_closedir(struct lkl_dir *dir);

/* Settings of the kernel: for any thread; those of a network are its namespace's. */

/*
 * Writes `value` to the setting `path`: "net.ipv4.ip_forward", or with slashes,
 * where a dot is a dot: "net/ipv4/conf/eth0.1/forwarding". Mounts proc on /proc if
 * needed. 0, -LKL_ENOENT (no such setting), -LKL_EACCES (it cannot be written),
 * -LKL_EINVAL (not such a value), -LKL_ESHUTDOWN (no kernel runs), or the setting's own.
 */
LKL_API int lkl_sysctl(const char *path, const char *value);

/*
 * Writes several settings: "path=value;path=value"; a | may stand for the =. All of
 * them are tried. 0, or the error of the first one that failed.
 */
LKL_API int lkl_sysctl_parse_write(const char *sysctls);

/*
 * The number of descriptors that the kernel's process may have open at a time. 0,
 * -LKL_EPERM (more than fs.nr_open, 1048576 at first, or more than before for a thread
 * whose user may not raise limits), or -LKL_ESHUTDOWN (no kernel runs).
 */
LKL_API int lkl_set_fd_limit(unsigned int fd_limit);

/*
 * Not in this library; they are here so that programs link, and docs/compatibility.md says
 * what to use instead.  Those that return something return -LKL_ENOSYS, the others do
 * nothing; lkl_error_message() says so.
 */

/* Interrupts of the program's own: none is given, raised or taken back. */
LKL_API int lkl_get_free_irq(const char *user);
LKL_API int lkl_trigger_irq(int irq);
LKL_API void lkl_put_irq(int irq, const char *user);

/* A command line on the program's terminal: no handler of a signal is installed. */
LKL_API void lkl_register_dbg_handler(void);

#ifdef __cplusplus
}
#endif

#endif /* LKL_H */
