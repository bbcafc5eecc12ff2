// SPDX-License-Identifier: GPL-2.0-only
// Laid under a program such as tc(8), it keeps a copy of every netlink message that the
// program sends with sendmsg(2), behind each other in the file NETLINK_RECORD.
#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

bool is_netlink(int socket)
{
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    return getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
           name.ss_family == AF_NETLINK;
}

void record(const msghdr* message)
{
    const int file = open(std::getenv("NETLINK_RECORD"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    // What is not written is missed by the test.
    if (file < 0)
        return;
    (void)!writev(file, message->msg_iov, static_cast<int>(message->msg_iovlen));
    close(file);
}

}  // namespace

extern "C" ssize_t sendmsg(int socket, const msghdr* message, int flags)
{
    static const auto next = reinterpret_cast<decltype(&sendmsg)>(dlsym(RTLD_NEXT, "sendmsg"));
    if (is_netlink(socket))
        record(message);
    return next(socket, message, flags);
}
