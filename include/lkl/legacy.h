/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls that the kernel's generic table has no number for, since newer ones
 * do more: lkl_sys_open() is lkl_sys_openat() and so on.  They return what the newer
 * call returns, and may be called by any thread.
 */
#ifndef LKL_LEGACY_H
#define LKL_LEGACY_H

#include <lkl/api.h>
#include <lkl/asm/stat.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/poll.h>
#include <lkl/linux/time.h>
#include <lkl/linux/utime.h>
#include <lkl/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Files. */
LKL_API long lkl_sys_open(const char *path, int flags, int mode);
LKL_API long lkl_sys_creat(const char *path, int mode);
LKL_API long lkl_sys_access(const char *path, int mode);
LKL_API long lkl_sys_stat(const char *path, struct lkl_stat *buf);
LKL_API long lkl_sys_lstat(const char *path, struct lkl_stat *buf);
LKL_API long lkl_sys_fstatat(int dfd, const char *path, struct lkl_stat *buf, int flags);
LKL_API long lkl_sys_mkdir(const char *path, int mode);
LKL_API long lkl_sys_rmdir(const char *path);
LKL_API long lkl_sys_mknod(const char *path, int mode, unsigned int dev);
LKL_API long lkl_sys_link(const char *existing, const char *path);
LKL_API long lkl_sys_symlink(const char *target, const char *path);
LKL_API long lkl_sys_readlink(const char *path, char *buf, size_t size);
LKL_API long lkl_sys_unlink(const char *path);
LKL_API long lkl_sys_rename(const char *from, const char *to);
LKL_API long lkl_sys_chmod(const char *path, int mode);
LKL_API long lkl_sys_chown(const char *path, lkl_uid_t user, lkl_gid_t group);
LKL_API long lkl_sys_lchown(const char *path, lkl_uid_t user, lkl_gid_t group);
/* times: access and modification; null: now. */
LKL_API long lkl_sys_utime(const char *path, const struct lkl_utimbuf *times);
LKL_API long lkl_sys_utimes(const char *path, const struct lkl_timeval times[2]);
LKL_API long lkl_sys_umount(const char *path, int flags);

/*
 * Maps one of the kernel's objects. The result is an address, or a negative error
 * number cast to a pointer, as from -4095 to -1.
 */
LKL_API void *lkl_sys_mmap(void *addr, size_t length, int prot, int flags, int fd,
			   lkl_off_t offset);

/* Descriptors. */
LKL_API long lkl_sys_pipe(int fds[2]);
LKL_API long lkl_sys_dup2(int oldfd, int newfd);
LKL_API long lkl_sys_eventfd(unsigned int count);
LKL_API long lkl_sys_signalfd(int fd, const lkl_sigset_t *mask, size_t sigsetsize);
LKL_API long lkl_sys_inotify_init(void);
LKL_API long lkl_sys_epoll_create(int size);
/* timeout: milliseconds; negative: for ever. */
LKL_API long lkl_sys_epoll_wait(int epfd, struct lkl_epoll_event *events, int maxevents,
				int timeout);
LKL_API long lkl_sys_poll(struct lkl_pollfd *fds, unsigned int nfds, int timeout);
/* timeout: null for ever; what is left of it is stored, as Linux does. */
LKL_API long lkl_sys_select(int n, lkl_fd_set *in, lkl_fd_set *out, lkl_fd_set *except,
			    struct lkl_timeval *timeout);
LKL_API long lkl_sys_send(int fd, const void *buf, size_t size, unsigned int flags);
LKL_API long lkl_sys_recv(int fd, void *buf, size_t size, unsigned int flags);

/* Time and the process. */
/* Seconds since 1970; stored in *seconds as well, unless it is null. */
LKL_API long lkl_sys_time(lkl_time_t *seconds);
LKL_API long lkl_sys_alarm(unsigned int seconds);
LKL_API long lkl_sys_pause(void);
LKL_API long lkl_sys_getpgrp(void);
/* A second process would need a copy of the program: -LKL_ENOSYS. */
LKL_API long lkl_sys_fork(void);
LKL_API long lkl_sys_vfork(void);

#ifdef __cplusplus
}
#endif

#endif /* LKL_LEGACY_H */
