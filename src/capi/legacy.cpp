// SPDX-License-Identifier: GPL-2.0-only
// The calls of lkl/legacy.h, by those that the kernel's generic table has.
#include <lkl/legacy.h>
#include <lkl/syscalls.h>

#include "capi/default_kernel.hpp"

namespace {

constexpr long nanoseconds_per_microsecond = 1000;
constexpr long milliseconds_per_second = 1000;
constexpr long nanoseconds_per_millisecond = 1000000;
constexpr long microseconds_per_second = 1000000;

// A timeout of poll(2): for ever when negative.
class PollTimeout {
public:
    explicit PollTimeout(int milliseconds)
        : forever_(milliseconds < 0),
          time_{milliseconds / milliseconds_per_second,
                milliseconds % milliseconds_per_second * nanoseconds_per_millisecond}
    {
    }
    // The kernel may store there what is left.
    struct __lkl__kernel_timespec* get() { return forever_ ? nullptr : &time_; }

private:
    bool forever_;
    struct __lkl__kernel_timespec time_;
};

}  // namespace

extern "C" {

long lkl_sys_open(const char* path, int flags, int mode)
{
    return lkl_sys_openat(LKL_AT_FDCWD, path, flags, static_cast<lkl_umode_t>(mode));
}

long lkl_sys_creat(const char* path, int mode)
{
    return lkl_sys_open(path, LKL_O_CREAT | LKL_O_WRONLY | LKL_O_TRUNC, mode);
}

long lkl_sys_access(const char* path, int mode)
{
    return lkl_sys_faccessat(LKL_AT_FDCWD, path, mode);
}

long lkl_sys_stat(const char* path, struct lkl_stat* buf)
{
    return lkl_sys_newfstatat(LKL_AT_FDCWD, path, buf, 0);
}

long lkl_sys_lstat(const char* path, struct lkl_stat* buf)
{
    return lkl_sys_newfstatat(LKL_AT_FDCWD, path, buf, LKL_AT_SYMLINK_NOFOLLOW);
}

long lkl_sys_fstatat(int dfd, const char* path, struct lkl_stat* buf, int flags)
{
    return lkl_sys_newfstatat(dfd, path, buf, flags);
}

long lkl_sys_mkdir(const char* path, int mode)
{
    return lkl_sys_mkdirat(LKL_AT_FDCWD, path, static_cast<lkl_umode_t>(mode));
}

long lkl_sys_rmdir(const char* path)
{
    return lkl_sys_unlinkat(LKL_AT_FDCWD, path, LKL_AT_REMOVEDIR);
}

long lkl_sys_mknod(const char* path, int mode, unsigned int dev)
{
    return lkl_sys_mknodat(LKL_AT_FDCWD, path, static_cast<lkl_umode_t>(mode), dev);
}

long lkl_sys_link(const char* existing, const char* path)
{
    return lkl_sys_linkat(LKL_AT_FDCWD, existing, LKL_AT_FDCWD, path, 0);
}

long lkl_sys_symlink(const char* target, const char* path)
{
    return lkl_sys_symlinkat(target, LKL_AT_FDCWD, path);
}

long lkl_sys_readlink(const char* path, char* buf, size_t size)
{
    // No link is as long as the most that the call can be told of.
    constexpr size_t most = 0x7fffffff;
    return lkl_sys_readlinkat(LKL_AT_FDCWD, path, buf, static_cast<int>(size < most ? size : most));
}

long lkl_sys_unlink(const char* path)
{
    return lkl_sys_unlinkat(LKL_AT_FDCWD, path, 0);
}

long lkl_sys_rename(const char* from, const char* to)
{
    return lkl_sys_renameat2(LKL_AT_FDCWD, from, LKL_AT_FDCWD, to, 0);
}

long lkl_sys_chmod(const char* path, int mode)
{
    return lkl_sys_fchmodat(LKL_AT_FDCWD, path, static_cast<lkl_umode_t>(mode));
}

long lkl_sys_chown(const char* path, lkl_uid_t user, lkl_gid_t group)
{
    return lkl_sys_fchownat(LKL_AT_FDCWD, path, user, group, 0);
}

long lkl_sys_lchown(const char* path, lkl_uid_t user, lkl_gid_t group)
{
    return lkl_sys_fchownat(LKL_AT_FDCWD, path, user, group, LKL_AT_SYMLINK_NOFOLLOW);
}

long lkl_sys_utime(const char* path, const struct lkl_utimbuf* times)
{
    if (times == nullptr)
        return lkl_sys_utimensat(LKL_AT_FDCWD, path, nullptr, 0);
    const struct __lkl__kernel_timespec spec[2] = {{times->actime, 0}, {times->modtime, 0}};
    return lkl_sys_utimensat(LKL_AT_FDCWD, path, spec, 0);
}

long lkl_sys_utimes(const char* path, const struct lkl_timeval times[2])
{
    if (times == nullptr)
        return lkl_sys_utimensat(LKL_AT_FDCWD, path, nullptr, 0);
    struct __lkl__kernel_timespec spec[2];
    for (int i = 0; i < 2; i++) {
        // utimensat(2) has special numbers of nanoseconds beyond a second.
        if (times[i].tv_usec < 0 || times[i].tv_usec >= microseconds_per_second)
            return -LKL_EINVAL;
        spec[i] = {times[i].tv_sec, times[i].tv_usec * nanoseconds_per_microsecond};
    }
    return lkl_sys_utimensat(LKL_AT_FDCWD, path, spec, 0);
}

long lkl_sys_umount(const char* path, int flags)
{
    return lkl_sys_umount2(path, flags);
}

void* lkl_sys_mmap(void* addr, size_t length, int prot, int flags, int fd, lkl_off_t offset)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel gives an address or an error
    return reinterpret_cast<void*>(
        lkl::capi::invoke(__lkl__NR_mmap, addr, length, prot, flags, fd, offset));
}

long lkl_sys_pipe(int fds[2])
{
    return lkl_sys_pipe2(fds, 0);
}

long lkl_sys_dup2(int oldfd, int newfd)
{
    // dup3(2) refuses equal ones, for which dup2(2) only looks at the descriptor.
    if (oldfd == newfd) {
        const long result = lkl_sys_fcntl(static_cast<unsigned>(oldfd), LKL_F_GETFD, 0);
        return result < 0 ? result : newfd;
    }
    return lkl_sys_dup3(static_cast<unsigned>(oldfd), static_cast<unsigned>(newfd), 0);
}

long lkl_sys_eventfd(unsigned int count)
{
    return lkl_sys_eventfd2(count, 0);
}

long lkl_sys_signalfd(int fd, const lkl_sigset_t* mask, size_t sigsetsize)
{
    return lkl_sys_signalfd4(fd, mask, sigsetsize, 0);
}

long lkl_sys_inotify_init(void)
{
    return lkl_sys_inotify_init1(0);
}

long lkl_sys_epoll_create(int size)
{
    return size <= 0 ? -LKL_EINVAL : lkl_sys_epoll_create1(0);
}

long lkl_sys_epoll_wait(int epfd, struct lkl_epoll_event* events, int maxevents, int timeout)
{
    return lkl_sys_epoll_pwait(epfd, events, maxevents, timeout, nullptr, sizeof(lkl_sigset_t));
}

long lkl_sys_poll(struct lkl_pollfd* fds, unsigned int nfds, int timeout)
{
    PollTimeout time(timeout);
    return lkl_sys_ppoll(fds, nfds, time.get(), nullptr, sizeof(lkl_sigset_t));
}

long lkl_sys_select(int n, lkl_fd_set* in, lkl_fd_set* out, lkl_fd_set* except,
                    struct lkl_timeval* timeout)
{
    if (timeout == nullptr)
        return lkl_sys_pselect6(n, in, out, except, nullptr, nullptr);
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0)
        return -LKL_EINVAL;
    // More than a second of microseconds is allowed here, but not in a timespec.
    struct __lkl__kernel_timespec time = {
        timeout->tv_sec + timeout->tv_usec / microseconds_per_second,
        timeout->tv_usec % microseconds_per_second * nanoseconds_per_microsecond};
    const long result = lkl_sys_pselect6(n, in, out, except, &time, nullptr);
    timeout->tv_sec = time.tv_sec;
    timeout->tv_usec = time.tv_nsec / nanoseconds_per_microsecond;
    return result;
}

long lkl_sys_send(int fd, const void* buf, size_t size, unsigned int flags)
{
    return lkl_sys_sendto(fd, buf, size, flags, nullptr, 0);
}

long lkl_sys_recv(int fd, void* buf, size_t size, unsigned int flags)
{
    return lkl_sys_recvfrom(fd, buf, size, flags, nullptr, nullptr);
}

long lkl_sys_time(lkl_time_t* seconds)
{
    struct __lkl__kernel_timespec now;
    const long result = lkl_sys_clock_gettime(LKL_CLOCK_REALTIME, &now);
    if (result < 0)
        return result;
    if (seconds != nullptr)
        *seconds = now.tv_sec;
    return now.tv_sec;
}

long lkl_sys_alarm(unsigned int seconds)
{
    const struct __lkl__kernel_old_itimerval value = {{0, 0}, {seconds, 0}};
    struct __lkl__kernel_old_itimerval old;
    const long result = lkl_sys_setitimer(LKL_ITIMER_REAL, &value, &old);
    if (result < 0)
        return result;
    // To the nearest second, but an alarm that is set is never reported as none
    // (kernel/time/itimer.c, alarm_setitimer()).
    const bool up = old.it_value.tv_usec >= microseconds_per_second / 2 ||
                    (old.it_value.tv_sec == 0 && old.it_value.tv_usec != 0);
    return old.it_value.tv_sec + (up ? 1 : 0);
}

long lkl_sys_pause(void)
{
    return lkl_sys_ppoll(nullptr, 0, nullptr, nullptr, sizeof(lkl_sigset_t));
}

long lkl_sys_getpgrp(void)
{
    return lkl_sys_getpgid(0);
}

long lkl_sys_fork(void)
{
    return -LKL_ENOSYS;
}

long lkl_sys_vfork(void)
{
    return -LKL_ENOSYS;
}

}  // extern "C"
