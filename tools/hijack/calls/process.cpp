// SPDX-License-Identifier: GPL-2.0-only
// System calls on the process: its end, its signals, and what would go past us.
#include <algorithm>
#include <cerrno>

#include <linux/landlock.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "hijack/calls/clones.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/calls/signal_mask.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/ending.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/message.hpp"
#include "hijack/preload/signals.hpp"

namespace hijack::calls {

long exit_group(const long* args)
{
    ending::exit(args[0]);
}

long sigaction(const long* args)
{
    if (args[3] != sizeof(uint64_t))
        return -EINVAL;
    return signals::set_action(static_cast<int>(args[0]),
                               host::to_pointer<const signals::Action>(args[1]),
                               host::to_pointer<signals::Action>(args[2]));
}

long sigprocmask(const long* args)
{
    return signals::set_mask(static_cast<int>(args[0]), host::to_pointer<const uint64_t>(args[1]),
                             host::to_pointer<uint64_t>(args[2]), static_cast<uint64_t>(args[3]));
}

long sigsuspend(const long* args)
{
    const auto* const mask = host::to_pointer<const uint64_t>(args[0]);
    const uint64_t filtered = mask ? without_sigsys(*mask) : 0;
    return host::call(SYS_rt_sigsuspend, mask ? &filtered : nullptr, args[1]);
}

long prctl(const long* args)
{
    // It would take its system calls from us.
    if (static_cast<int>(args[0]) == PR_SET_SYSCALL_USER_DISPATCH)
        return -EINVAL;
    return host::raw(SYS_prctl, args);
}

namespace {

int refuse_namespace(unsigned long flags)
{
    if (!(flags & CLONE_NEWNET))
        return 0;
    const Inside inside;
    message("a network namespace would be one of the host's (docs/run.md)");
    return -EOPNOTSUPP;
}

}  // namespace

int refuse_clone(long number, const long* args)
{
    return refuse_namespace(clones::request(number, args).flags);
}

long fork(const long* args)
{
    return clones::make(SYS_fork, args);
}

long clone(const long* args)
{
    return clones::make(SYS_clone, args);
}

long clone3(const long* args)
{
    return clones::make(SYS_clone3, args);
}

long unshare(const long* args)
{
    const int error = refuse_namespace(static_cast<unsigned long>(args[0]));
    return error ? error : host::raw(SYS_unshare, args);
}

long setns(const long* args)
{
    auto types = static_cast<unsigned long>(args[1]);
    // Whatever the descriptor is of.
    if (types == 0)
        types =
            static_cast<unsigned long>(std::max(host::call(SYS_ioctl, args[0], NS_GET_NSTYPE), 0l));
    const int error = refuse_namespace(types);
    return error ? error : host::raw(SYS_setns, args);
}

// What stands for a directory of ours on the host must not be allowed in its place.
long add_landlock_rule(const long* args)
{
    const auto* const rule = host::to_pointer<const landlock_path_beneath_attr>(args[2]);
    if (args[1] == LANDLOCK_RULE_PATH_BENEATH && rule && descriptors::ours(rule->parent_fd) >= 0)
        return -EBADFD;
    return host::raw(SYS_landlock_add_rule, args);
}

// A ring's entries go past us; programs then do without.
long io_uring(const long*)
{
    return -ENOSYS;
}

}  // namespace hijack::calls
