// SPDX-License-Identifier: GPL-2.0-only
// System calls that make sockets, and those that may carry descriptors or the name of a
// socket of UNIX.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <lkl/asm/unistd.h>

#include "hijack/calls/paths.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/message.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::calls {

namespace {

enum class Owner { ours, host, nobody };

// Whose the sockets of a family are. The host's are those that lead to no network: to other
// processes of this machine, its devices, its cryptography. All others would lead past the
// program's own network, be it to a bus, a radio or a hypervisor, and are nobody's; AF_XDP is
// not our kernel's because it is memory that both would have to share, and AF_KEY is not built
// into it.
Owner owner_of(int family, int protocol)
{
    switch (family) {
    case AF_INET:
    case AF_INET6:
    case AF_PACKET:
        return Owner::ours;
    case AF_NETLINK:
        return protocol != NETLINK_KOBJECT_UEVENT && protocol != NETLINK_AUDIT &&
                       protocol != NETLINK_SELINUX && protocol != NETLINK_SCSITRANSPORT
                   ? Owner::ours
                   : Owner::host;
    case AF_UNIX:
    case AF_ALG:
        return Owner::host;
    default:
        return Owner::nobody;
    }
}

// Tells it, the first time for each family. -EAFNOSUPPORT: so does a kernel without it.
long refuse_family(int family)
{
    static std::atomic<uint64_t> told{0};
    const uint64_t bit = family > 0 && family < AF_MAX ? uint64_t{1} << family : 0;
    const Inside inside;
    if ((bit & ~told.fetch_or(bit)) != 0)
        message("sockets of family " + std::to_string(family) +
                " would lead past the program's own network: refused (docs/run.md)");
    return -EAFNOSUPPORT;
}

// A descriptor of ours cannot go to another process: it would find a dead placeholder.
bool carries_ours(const msghdr* message)
{
    if (!message || !message->msg_control)
        return false;
    auto* const header = const_cast<msghdr*>(message);
    for (cmsghdr* one = CMSG_FIRSTHDR(header); one; one = CMSG_NXTHDR(header, one)) {
        if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= one->cmsg_len; at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, reinterpret_cast<const char*>(one) + at, sizeof fd);
            if (descriptors::ours(fd) >= 0)
                return true;
        }
    }
    return false;
}

long forward(long number, long kernel_number, const long* args)
{
    if (descriptors::entry(args[0]) & descriptors::internal_bit)
        return -EBADF;
    const int kernel_fd = descriptors::ours(args[0]);
    if (kernel_fd < 0)
        return host::raw(number, args);
    const Inside inside;
    return stack::call(kernel_number, kernel_fd, args[1], args[2], args[3], args[4], args[5]);
}

// Of a socket of UNIX; empty: it is none, or has no file.
std::string_view path_of(long address, long size)
{
    const auto* const unix_address = host::to_pointer<const sockaddr_un>(address);
    const auto start = static_cast<long>(offsetof(sockaddr_un, sun_path));
    if (!unix_address || size <= start || unix_address->sun_family != AF_UNIX)
        return {};
    const auto room = std::min(static_cast<size_t>(size - start), sizeof unix_address->sun_path);
    return {unix_address->sun_path, ::strnlen(unix_address->sun_path, room)};
}

// A socket's file below a directory of ours, where there can be none, and the host's of that
// name is another one.
bool names_ours(long address, long size)
{
    const std::string path(path_of(address, size));
    return !path.empty() && paths::is_ours(AT_FDCWD, path.c_str());
}

// Where libc's modules ask daemons of the host for addresses. Those would answer for the host's
// network, and know nothing of the program's name servers.
bool resolves_names_of_the_host(long address, long size)
{
    constexpr std::string_view daemons[] = {
        "/run/nscd/socket",
        "/run/systemd/resolve/io.systemd.Resolve",
        "/run/avahi-daemon/socket",
    };
    constexpr std::string_view older = "/var";  // /var/run, a link to /run
    std::string_view name = path_of(address, size);
    if (name.starts_with("/var/run/"))
        name.remove_prefix(older.size());
    return std::find(std::begin(daemons), std::end(daemons), name) != std::end(daemons);
}

bool names_ours(const msghdr* message)
{
    return message && names_ours(host::to_long(message->msg_name), message->msg_namelen);
}

// The host's message to such a socket, or with a descriptor of ours.
bool is_refused(const msghdr* message)
{
    return carries_ours(message) || names_ours(message);
}

}  // namespace

long bind(const long* args)
{
    if (descriptors::ours(args[0]) < 0 && names_ours(args[1], args[2]))
        return -EOPNOTSUPP;
    return forward(SYS_bind, __lkl__NR_bind, args);
}

long connect(const long* args)
{
    if (descriptors::ours(args[0]) < 0) {
        if (names_ours(args[1], args[2]))
            return -EOPNOTSUPP;
        if (resolves_names_of_the_host(args[1], args[2]))
            return -ECONNREFUSED;
    }
    return forward(SYS_connect, __lkl__NR_connect, args);
}

long send_to(const long* args)
{
    if (descriptors::ours(args[0]) < 0 && names_ours(args[4], args[5]))
        return -EOPNOTSUPP;
    return forward(SYS_sendto, __lkl__NR_sendto, args);
}

long set_option(const long* args)
{
    // Our kernel reaches the program's memory by copying alone; programs then do without.
    if (args[1] == SOL_SOCKET && args[2] == SO_ZEROCOPY && descriptors::ours(args[0]) >= 0)
        return -EOPNOTSUPP;
    return forward(SYS_setsockopt, __lkl__NR_setsockopt, args);
}

long socket(const long* args)
{
    const auto family = static_cast<int>(args[0]), protocol = static_cast<int>(args[2]);
    const Owner owner = owner_of(family, protocol);
    if (owner == Owner::nobody)
        return refuse_family(family);
    if (owner == Owner::host)
        return host::raw(SYS_socket, args);
    if (const int error = stack::start(); error != 0)
        return error;
    const Inside inside;
    const long made = stack::call(__lkl__NR_socket, family, args[1], protocol);
    if (made < 0)
        return made;
    return descriptors::add(static_cast<int>(made), args[1] & SOCK_CLOEXEC);
}

long socket_pair(const long* args)
{
    const auto family = static_cast<int>(args[0]);
    if (owner_of(family, static_cast<int>(args[2])) == Owner::nobody)
        return refuse_family(family);
    // Our kernel has no pairs of its families either, and says so in the same way.
    return host::raw(SYS_socketpair, args);
}

long accept4(const long* args)
{
    const int listener = descriptors::ours(args[0]);
    if (listener < 0)
        return host::raw(SYS_accept4, args);
    const Inside inside;
    // First, as the host's kernel does it: without a number the connection stays in the
    // listener's queue.
    const int number = descriptors::reserve(true);
    if (number < 0)
        return number;
    const long made = stack::call(__lkl__NR_accept4, listener, args[1], args[2], args[3]);
    if (made < 0) {
        descriptors::give_back(number);
        return made;
    }
    if (!(args[3] & SOCK_CLOEXEC))
        host::call(SYS_fcntl, number, F_SETFD, 0);
    descriptors::give(number, static_cast<int>(made));
    return number;
}

long accept(const long* args)
{
    const long with_flags[6] = {args[0], args[1], args[2], 0, 0, 0};
    return accept4(with_flags);
}

long send_message(const long* args)
{
    if (descriptors::ours(args[0]) < 0 && is_refused(host::to_pointer<const msghdr>(args[1])))
        return -EOPNOTSUPP;
    return forward(SYS_sendmsg, __lkl__NR_sendmsg, args);
}

long send_messages(const long* args)
{
    const auto* const messages = host::to_pointer<const mmsghdr>(args[1]);
    if (descriptors::ours(args[0]) < 0)
        for (unsigned i = 0; i < static_cast<unsigned>(args[2]); i++)
            if (is_refused(&messages[i].msg_hdr))
                return -EOPNOTSUPP;
    return forward(SYS_sendmmsg, __lkl__NR_sendmmsg, args);
}

}  // namespace hijack::calls
