// SPDX-License-Identifier: GPL-2.0-only
// ioctl(2). Requests on network interfaces are our kernel's whatever socket they are made on:
// libc's if_nametoindex() takes one of UNIX, and the host's interfaces have the same names.
#include <cerrno>
#include <mutex>

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <lkl/asm/unistd.h>

#include "hijack/calls/rules.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::calls {

namespace {

// Of routes, interfaces, their drivers and their radio: none of them is one of the socket's
// own protocol.
bool is_of_interfaces(unsigned request)
{
    constexpr unsigned first_of_radio = 0x8b00, last_of_radio = 0x8bff;
    if (request == SIOCOUTQNSD || request == SIOCGSKNS)
        return false;
    return (request >= SIOCADDRT && request < SIOCPROTOPRIVATE) ||
           (request >= SIOCDEVPRIVATE && request <= SIOCDEVPRIVATE + 15) ||
           (request >= first_of_radio && request <= last_of_radio);
}

// A socket of the host's whose interfaces are not the host's own kind.
bool shares_interfaces(long host_fd)
{
    int family = AF_UNSPEC;
    socklen_t size = sizeof family;
    if (host::call(SYS_getsockopt, host_fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0)
        return false;
    return family != AF_CAN && family != AF_IEEE802154;
}

// Stays for the rest of the process. The caller is Inside, and the stack is up.
long any_socket()
{
    static std::mutex& mutex = *new std::mutex;
    static long made = -1;
    const std::lock_guard lock(mutex);
    if (made < 0)
        made = stack::call(__lkl__NR_socket, AF_INET, SOCK_DGRAM, 0);
    return made;
}

long request_on_interface(unsigned request, long argument)
{
    if (const int error = stack::start(); error != 0)
        return error;
    const long socket = any_socket();
    return socket < 0 ? socket : stack::call(__lkl__NR_ioctl, socket, request, argument);
}

}  // namespace

long ioctl(const long* args)
{
    const int kernel_fd = descriptors::ours(args[0]);
    const auto request = static_cast<unsigned>(args[1]);
    if (kernel_fd < 0) {
        if (!is_of_interfaces(request) || !shares_interfaces(args[0]))
            return host::raw(SYS_ioctl, args);
        const Inside inside;
        return request_on_interface(request, args[2]);
    }
    if (request == FIOCLEX || request == FIONCLEX)
        return host::call(SYS_fcntl, args[0], F_SETFD, request == FIOCLEX ? FD_CLOEXEC : 0);
    // As F_SETOWN of fcntl(2).
    if (request == FIOSETOWN || request == SIOCSPGRP)
        return 0;
    // It would be a number of our kernel's.
    if (request == SIOCGSKNS)
        return -EOPNOTSUPP;
    const Inside inside;
    return stack::call(__lkl__NR_ioctl, kernel_fd, request, args[2]);
}

}  // namespace hijack::calls
