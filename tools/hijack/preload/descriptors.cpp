// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/descriptors.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>

#include <lkl/asm/unistd.h>

#include "hijack/calls/epoll.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::descriptors {

std::atomic<Entry> table[limit];

namespace {

// No entry is above it; only grows.
std::atomic<int> highest{-1};

// Where this library's own descriptors begin, and how many it may have: below 1024, as
// the usual limit is.
constexpr int own_room = 96;

void set(int number, Entry what)
{
    int seen = highest.load(std::memory_order_relaxed);
    while (what != 0 && number > seen && !highest.compare_exchange_weak(seen, number))
        ;
    table[number].store(what, std::memory_order_release);
}

bool is_open(int number)
{
    return host::call(SYS_fcntl, number, F_GETFD, 0) >= 0;
}

int first_of_own()
{
    struct rlimit room {};
    host::call(SYS_getrlimit, RLIMIT_NOFILE, &room);
    const auto most = static_cast<int>(std::min<rlim_t>(room.rlim_cur, 1024));
    return std::max(most - own_room, most / 2);
}

void close_ours(Entry what, int number)
{
    if (what & epoll_bit)
        epolls::forget(number);
    else if (what != 0 && stack::is_up())
        stack::call(__lkl__NR_close, (what & number_mask) - 1);
}

}  // namespace

int placeholder()
{
    static std::atomic<int> descriptor{-1};
    int made = descriptor.load(std::memory_order_acquire);
    if (made >= 0)
        return made;
    const int mine = make_own(host::call(SYS_openat, AT_FDCWD, "/dev/null", O_PATH | O_CLOEXEC, 0));
    // Not made: the next one may succeed. Made: another thread may have been first.
    if (mine < 0 || descriptor.compare_exchange_strong(made, mine))
        return mine;
    close_own(mine);
    return made;
}

int reserve(bool close_on_exec, int least)
{
    const int from = placeholder();
    if (from < 0)
        return from;
    const long number =
        host::call(SYS_fcntl, from, close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, least);
    if (number >= limit) {
        host::call(SYS_close, number);
        return -EMFILE;
    }
    if (number >= 0)
        set(static_cast<int>(number), internal_bit | reserved_bit);
    return static_cast<int>(number);
}

void give(int number, int kernel_fd)
{
    set(number, static_cast<Entry>(kernel_fd) + 1);
}

void give_back(int number)
{
    close_own(number);
}

int add(int kernel_fd, bool close_on_exec, int least)
{
    const int number = reserve(close_on_exec, least);
    if (number < 0)
        stack::call(__lkl__NR_close, kernel_fd);
    else
        give(number, kernel_fd);
    return number;
}

int replace(int number, Entry what, int host_fd, bool close_on_exec)
{
    if (number < 0 || number >= limit)
        return what == 0 ? static_cast<int>(
                               host::call(SYS_dup3, host_fd, number, close_on_exec ? O_CLOEXEC : 0))
                         : -EBADF;
    const Entry before = entry(number);
    if (before & internal_bit)
        return -EBUSY;
    // What cannot be made must leave what is there.
    if (const long result = host::call(SYS_fcntl, host_fd, F_GETFD, 0); result < 0)
        return static_cast<int>(result);
    table[number].store(0, std::memory_order_release);
    const long result = host::call(SYS_dup3, host_fd, number, close_on_exec ? O_CLOEXEC : 0);
    if (result < 0) {
        set(number, before);
        return static_cast<int>(result);
    }
    close_ours(before, number);
    set(number, what);
    return number;
}

int close(int number)
{
    const Entry what = entry(number);
    if (what & internal_bit)
        return -EBADF;
    if (what != 0) {
        table[static_cast<unsigned>(number)].store(0, std::memory_order_release);
        close_ours(what, number);
    }
    return static_cast<int>(host::call(SYS_close, number));
}

long close_range(unsigned first, unsigned last, unsigned flags)
{
    if (first > last || (flags & CLOSE_RANGE_CLOEXEC))
        return host::call(SYS_close_range, first, last, flags);
    const auto end = static_cast<unsigned>(highest.load(std::memory_order_relaxed));
    unsigned from = first;
    for (unsigned number = first; number <= last && static_cast<int>(end) >= 0 && number <= end;
         number++) {
        const Entry what = entry(number);
        if (what & internal_bit) {
            if (number > from)
                host::call(SYS_close_range, from, number - 1, flags);
            from = number + 1;
        } else if (what != 0) {
            close(static_cast<int>(number));
        }
    }
    if (from > last)
        return 0;
    return host::call(SYS_close_range, from, last, flags);
}

void for_each_ours(void (*function)(int kernel_fd))
{
    const int end = highest.load(std::memory_order_relaxed);
    for (int number = 0; number <= end; number++) {
        const Entry what = entry(number);
        if (!(what & (epoll_bit | internal_bit)) && what != 0)
            function(static_cast<int>(what & number_mask) - 1);
    }
}

int first_inherited()
{
    const int end = highest.load(std::memory_order_relaxed);
    for (int number = 0; number <= end; number++) {
        const Entry what = entry(number);
        if (!(what & (epoll_bit | internal_bit)) && what != 0 &&
            host::call(SYS_fcntl, number, F_GETFD, 0) == 0)
            return number;
    }
    return -1;
}

void forked()
{
    const int end = highest.load(std::memory_order_relaxed);
    for (int number = 0; number <= end; number++)
        if (entry(number) & reserved_bit)
            give_back(number);
}

void keep(int host_fd)
{
    if (host_fd >= 0 && host_fd < limit)
        set(host_fd, internal_bit);
}

// A program with hundreds of epolls, or of threads that wait for both sides, needs more than
// there is room for: then anywhere among its own.
int own_duplicate(int host_fd)
{
    const int first = first_of_own();
    long made = -EMFILE;
    for (const int least : {first, first / 2, 3}) {
        if (made == -EMFILE || made == -EINVAL)
            made = host::call(SYS_fcntl, host_fd, F_DUPFD_CLOEXEC, least);
    }
    if (made >= 0 && made < limit)
        set(static_cast<int>(made), internal_bit);
    return static_cast<int>(made);
}

int make_own(long made)
{
    if (made < 0)
        return static_cast<int>(made);
    const int own = own_duplicate(static_cast<int>(made));
    host::call(SYS_close, made);
    return own;
}

void close_own(int host_fd)
{
    if (host_fd < 0)
        return;
    if (host_fd < limit)
        table[host_fd].store(0, std::memory_order_release);
    host::call(SYS_close, host_fd);
}

// All numbers below the first of ours are taken for a moment, so that the lowest free one
// is ours.
Own::Own() : base_(first_of_own())
{
    const long source = host::call(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
    if (source < 0)
        return;
    set_fillers(static_cast<int>(source));
}

void Own::set_fillers(int source)
{
    int next = source;
    while (next >= 0 && next < base_) {
        fillers_.push_back(next);
        next = static_cast<int>(host::call(SYS_fcntl, source, F_DUPFD_CLOEXEC, 0));
    }
    if (next >= base_)
        host::call(SYS_close, next);
    for (int number = base_; number < base_ + own_room; number++)
        before_.push_back(is_open(number));
}

Own::~Own()
{
    for (const int filler : fillers_)
        host::call(SYS_close, filler);
    for (size_t i = 0; i < before_.size(); i++) {
        const int number = base_ + static_cast<int>(i);
        if (!before_[i] && entry(number) == 0 && is_open(number))
            set(number, internal_bit);
    }
}

}  // namespace hijack::descriptors
