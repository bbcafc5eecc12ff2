// SPDX-License-Identifier: GPL-2.0-only
// Functions of libc that wait for descriptors.
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "hijack/symbols/symbol.hpp"

using hijack::libc_call;

namespace {

constexpr size_t mask_size = sizeof(uint64_t);  // the kernel's signal mask, bytes

// Linux stores what is left of the time, and libc's functions do not.
struct TimeCopy {
    explicit TimeCopy(const timespec* given) : time(given ? *given : timespec{}), null(!given) {}
    timespec* get() { return null ? nullptr : &time; }

    timespec time;
    bool null;
};

}  // namespace

HIJACK_SYMBOL(int, poll, (void* fds, unsigned long count, int timeout))
{
    return static_cast<int>(libc_call(SYS_poll, fds, count, timeout));
}
HIJACK_SYMBOL(int, __poll, (void* fds, unsigned long count, int timeout))
{
    return static_cast<int>(libc_call(SYS_poll, fds, count, timeout));
}
HIJACK_SYMBOL(int, __poll_chk, (void* fds, unsigned long count, int timeout, size_t))
{
    return static_cast<int>(libc_call(SYS_poll, fds, count, timeout));
}
HIJACK_SYMBOL(int, ppoll, (void* fds, unsigned long count, const timespec* time, const void* mask))
{
    TimeCopy copy(time);
    return static_cast<int>(libc_call(SYS_ppoll, fds, count, copy.get(), mask, mask_size));
}
HIJACK_SYMBOL(int, __ppoll_chk,
              (void* fds, unsigned long count, const timespec* time, const void* mask, size_t))
{
    TimeCopy copy(time);
    return static_cast<int>(libc_call(SYS_ppoll, fds, count, copy.get(), mask, mask_size));
}
HIJACK_SYMBOL(int, select, (int count, void* read, void* write, void* except, void* time))
{
    return static_cast<int>(libc_call(SYS_select, count, read, write, except, time));
}
HIJACK_SYMBOL(int, pselect,
              (int count, void* read, void* write, void* except, const timespec* time,
               const void* mask))
{
    TimeCopy copy(time);
    const struct {
        const void* mask;
        size_t size;
    } argument{mask, mask_size};
    return static_cast<int>(
        libc_call(SYS_pselect6, count, read, write, except, copy.get(), &argument));
}
HIJACK_SYMBOL(int, epoll_create, (int size))
{
    return static_cast<int>(libc_call(SYS_epoll_create, size));
}
HIJACK_SYMBOL(int, epoll_create1, (int flags))
{
    return static_cast<int>(libc_call(SYS_epoll_create1, flags));
}
HIJACK_SYMBOL(int, epoll_ctl, (int epoll, int operation, int fd, void* event))
{
    return static_cast<int>(libc_call(SYS_epoll_ctl, epoll, operation, fd, event));
}
HIJACK_SYMBOL(int, epoll_wait, (int epoll, void* events, int most, int timeout))
{
    return static_cast<int>(libc_call(SYS_epoll_wait, epoll, events, most, timeout));
}
HIJACK_SYMBOL(int, epoll_pwait, (int epoll, void* events, int most, int timeout, const void* mask))
{
    return static_cast<int>(
        libc_call(SYS_epoll_pwait, epoll, events, most, timeout, mask, mask_size));
}
HIJACK_SYMBOL(int, epoll_pwait2,
              (int epoll, void* events, int most, const timespec* time, const void* mask))
{
    return static_cast<int>(
        libc_call(SYS_epoll_pwait2, epoll, events, most, time, mask, mask_size));
}
