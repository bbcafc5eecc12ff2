// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/network_namespace.hpp>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/sched.h>
#include <lkl/linux/sockios.h>
#include <lkl/socket.h>

#include "file/error.hpp"

namespace lkl {

using file::call_error;

Result<NetworkNamespace> NetworkNamespace::of_socket(Kernel& kernel, int descriptor)
{
    const long space = kernel.syscall(__lkl__NR_ioctl, descriptor, LKL_SIOCGSKNS, 0);
    if (space < 0)
        return call_error(space, "open", "network namespace");
    return NetworkNamespace(File::adopt(kernel, static_cast<int>(space)));
}

// By a socket rather than by /proc/thread-self/ns/net, which may not be mounted.
Result<NetworkNamespace> NetworkNamespace::current(Kernel& kernel)
{
    const long socket = kernel.syscall(__lkl__NR_socket, LKL_AF_UNIX, LKL_SOCK_DGRAM, 0);
    if (socket < 0)
        return call_error(socket, "open", "socket");
    const File owner = File::adopt(kernel, static_cast<int>(socket));
    return of_socket(kernel, owner.descriptor());
}

Result<NetworkNamespace> NetworkNamespace::create(Kernel& kernel)
{
    const auto before = current(kernel);
    if (!before)
        return before.error();
    if (const long result = kernel.syscall(__lkl__NR_unshare, LKL_CLONE_NEWNET); result < 0)
        return call_error(result, "make", "network namespace");
    auto made = current(kernel);
    if (auto back = before->enter(); !back)
        return std::move(back).error();
    return made;
}

Result<void> NetworkNamespace::enter() const
{
    const long result =
        file_.is_open() ? file_.kernel().syscall(__lkl__NR_setns, descriptor(), LKL_CLONE_NEWNET)
                        : -LKL_EBADF;
    if (result < 0)
        return call_error(result, "enter", "network namespace");
    return {};
}

Result<InNetworkNamespace> InNetworkNamespace::enter(const NetworkNamespace& space, Kernel& kernel)
{
    auto before = NetworkNamespace::current(kernel);
    if (!before)
        return std::move(before).error();
    if (auto entered = space.enter(); !entered)
        return std::move(entered).error();
    return InNetworkNamespace(*std::move(before));
}

InNetworkNamespace::~InNetworkNamespace()
{
    // Empty when moved from. It cannot fail but for a kernel that has ended.
    if (before_.descriptor() >= 0)
        (void)before_.enter();
}

}  // namespace lkl
