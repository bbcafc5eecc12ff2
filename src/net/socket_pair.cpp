// SPDX-License-Identifier: GPL-2.0-only
// A cable between two kernels: a pair of sockets that keep the bounds of messages.
// SOCK_SEQPACKET, because a full one makes the sender wait, and the end of one side is
// seen by the other.
#include <cerrno>
#include <string>

#include <sys/socket.h>

#include <lkl/net.hpp>

#include <net/duplicate.hpp>
#include <net/error.hpp>
#include <net/packet_files.hpp>

namespace lkl {

namespace {

constexpr uint8_t header_length = 12;

// Room for some of the longest packets in each direction.
constexpr int buffer_size = 4 << 20;

std::unique_ptr<NetBackend> make(posix::Descriptor socket)
{
    // More than the host's limit needs a privilege; without it there is less room.
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &buffer_size, sizeof buffer_size) !=
        0)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof buffer_size);
    NetInfo info;
    info.name = "socket " + std::to_string(socket.get());
    info.header = header_length;
    info.transmit_offload = info.receive_offload = NetOffload::all;
    std::vector<posix::Descriptor> files;
    files.push_back(std::move(socket));
    return std::make_unique<net::PacketFiles>(std::move(info), std::move(files));
}

}  // namespace

Result<std::pair<std::unique_ptr<NetBackend>, std::unique_ptr<NetBackend>>> make_net_pipe()
{
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return net::host_error("a pair of sockets");
    posix::Descriptor first(ends[0]);
    posix::Descriptor second(ends[1]);
    return std::pair(make(std::move(first)), make(std::move(second)));
}

Result<std::unique_ptr<NetBackend>> open_net_socket(int descriptor)
{
    int type = 0;
    socklen_t length = sizeof type;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0)
        return net::host_error("descriptor " + std::to_string(descriptor));
    if (type != SOCK_SEQPACKET && type != SOCK_DGRAM)
        return Error{EINVAL, "descriptor " + std::to_string(descriptor) +
                                 ": a socket that does not keep the bounds of messages"};
    auto own = net::duplicate(descriptor);
    if (!own)
        return std::move(own).error();
    return make(std::move(*own));
}

}  // namespace lkl
