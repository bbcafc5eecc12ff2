// SPDX-License-Identifier: GPL-2.0-only
// System calls on descriptors as such: closing, doubling, flags, what they are.
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include <lkl/asm/stat.h>
#include <lkl/asm/unistd.h>

#include "hijack/calls/epoll.hpp"
#include "hijack/calls/host_stat.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::calls {

namespace {

using descriptors::Entry;

// A second number, `least` at least, for what is not the host's alone. The caller is
// Inside.
long duplicate(int number, Entry what, int least, bool close_on_exec)
{
    if (what & descriptors::internal_bit)
        return -EBADF;
    if (what & descriptors::epoll_bit) {
        const long made =
            host::call(SYS_fcntl, number, close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, least);
        if (made >= 0 && made < descriptors::limit) {
            epolls::share(number, static_cast<int>(made));
            descriptors::table[made].store(what, std::memory_order_release);
        }
        return made;
    }
    const long made = stack::call(__lkl__NR_dup, static_cast<int>(what) - 1);
    if (made < 0)
        return made;
    return descriptors::add(static_cast<int>(made), close_on_exec, least);
}

long duplicate_to(int number, int target, bool close_on_exec)
{
    const Entry what = descriptors::entry(number);
    if (what == 0 && descriptors::entry(target) == 0)
        return host::call(SYS_dup3, number, target, close_on_exec ? O_CLOEXEC : 0);
    const Inside inside;
    if (what & descriptors::internal_bit)
        return -EBADF;
    if (what == 0)
        return descriptors::replace(target, 0, number, close_on_exec);
    if (what & descriptors::epoll_bit) {
        const int result = descriptors::replace(target, what, number, close_on_exec);
        if (result >= 0)
            epolls::share(number, target);
        return result;
    }
    const long made = stack::call(__lkl__NR_dup, static_cast<int>(what) - 1);
    if (made < 0)
        return made;
    const int result = descriptors::replace(target, static_cast<Entry>(made) + 1,
                                            descriptors::placeholder(), close_on_exec);
    if (result < 0)
        stack::call(__lkl__NR_close, made);
    return result;
}

}  // namespace

long close(const long* args)
{
    const auto number = static_cast<int>(args[0]);
    if (descriptors::entry(number) == 0)
        return host::raw(SYS_close, args);
    const Inside inside;
    return descriptors::close(number);
}

long close_range(const long* args)
{
    const Inside inside;
    return descriptors::close_range(static_cast<unsigned>(args[0]), static_cast<unsigned>(args[1]),
                                    static_cast<unsigned>(args[2]));
}

long dup(const long* args)
{
    const auto number = static_cast<int>(args[0]);
    const Entry what = descriptors::entry(number);
    if (what == 0)
        return host::raw(SYS_dup, args);
    const Inside inside;
    return duplicate(number, what, 0, false);
}

long dup2(const long* args)
{
    const auto number = static_cast<int>(args[0]), target = static_cast<int>(args[1]);
    // The one case in which it is not dup3() without flags.
    if (number == target)
        return host::raw(SYS_dup2, args);
    return duplicate_to(number, target, false);
}

long dup3(const long* args)
{
    const auto number = static_cast<int>(args[0]), target = static_cast<int>(args[1]);
    if (number == target || (static_cast<int>(args[2]) & ~O_CLOEXEC))
        return host::raw(SYS_dup3, args);
    return duplicate_to(number, target, args[2] & O_CLOEXEC);
}

long fcntl(const long* args)
{
    const auto number = static_cast<int>(args[0]), command = static_cast<int>(args[1]);
    const Entry what = descriptors::entry(number);
    // FD_CLOEXEC is the number's, not what stands behind it.
    if (what == 0 || command == F_GETFD || command == F_SETFD)
        return host::raw(SYS_fcntl, args);
    const Inside inside;
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        return duplicate(number, what, static_cast<int>(args[2]), command == F_DUPFD_CLOEXEC);
    const int kernel_fd = descriptors::ours(number);
    if (kernel_fd < 0 || (what & descriptors::epoll_bit))
        return host::raw(SYS_fcntl, args);
    // Our kernel has no such process, nor is there a SIGIO that could come.
    if (command == F_SETOWN || command == F_SETOWN_EX)
        return 0;
    if (command == F_NOTIFY || command == F_SETLEASE)
        return -EINVAL;
    // As at open(2) (paths.cpp).
    const long argument = command == F_SETFL ? args[2] & ~O_DIRECT : args[2];
    return stack::call(__lkl__NR_fcntl, kernel_fd, command, argument);
}

long fstat(const long* args)
{
    const int kernel_fd = descriptors::ours(args[0]);
    if (kernel_fd < 0 || (descriptors::entry(args[0]) & descriptors::epoll_bit))
        return host::raw(SYS_fstat, args);
    const Inside inside;
    lkl_stat status{};
    const long result = stack::call(__lkl__NR_fstat, kernel_fd, &status);
    if (result == 0)
        *host::to_pointer<struct stat>(args[1]) = host_stat(status);
    return result;
}

}  // namespace hijack::calls
