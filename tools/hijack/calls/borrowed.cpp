// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/borrowed.hpp"

#include <sched.h>

#include "hijack/preload/host.hpp"

namespace hijack::borrowed {

void lend(unsigned long flags)
{
    // With a TLS of its own the child has a Thread of its own too.
    if (!(flags & CLONE_VM) || (flags & (CLONE_THREAD | CLONE_SETTLS)))
        return;
    this_thread.lender_waits = flags & CLONE_VFORK;
    this_thread.lender = host::call(SYS_getpid);
}

bool look()
{
    if (host::call(SYS_getpid) != this_thread.lender)
        return true;
    // The parent goes on when its child has left the memory.
    if (this_thread.lender_waits)
        this_thread.lender = 0;
    return false;
}

bool is_hosts(long number)
{
    switch (number) {
    case SYS_close:
    case SYS_close_range:
    case SYS_dup:
    case SYS_dup2:
    case SYS_dup3:
    case SYS_fcntl:
    case SYS_epoll_create:
    case SYS_epoll_create1:
    case SYS_epoll_ctl:
    case SYS_rt_sigaction:
    case SYS_exit_group:
        return true;
    default:
        return false;
    }
}

}  // namespace hijack::borrowed
