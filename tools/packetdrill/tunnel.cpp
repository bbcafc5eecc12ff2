// SPDX-License-Identifier: GPL-2.0-only
#include "packetdrill/tunnel.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <lkl/asm/unistd.h>
#include <lkl/netlink.hpp>

#include "file/error.hpp"
#include "file/sysctl.hpp"

namespace packetdrill {

namespace {

using lkl::Error;
using lkl::File;
using lkl::IpPrefix;
using lkl::Kernel;
using lkl::Netlink;
using lkl::Result;

constexpr auto& name = Tunnel::name;
constexpr int loopback = 1;
// virtio_net_hdr without num_buffers (VIRTIO 1.2, 5.1.6); all zero: a packet as it is.
using Header = std::array<std::byte, 10>;
constexpr uint32_t device = lkl::device_number(10, 200);
constexpr unsigned mode = LKL_S_IFCHR | 0600;
// Several packets of 64 KiB: a burst of TCP with segmentation left to the device.
constexpr int sniffer_buffer = 16 << 20;

Error call_error(long result, const char* what)
{
    return lkl::file::call_error(result, what, name);
}

Result<File> open_tun(Kernel& kernel, bool offload)
{
    constexpr char path[] = "/tun";
    kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, path, mode, device);
    auto tun = File::open(kernel, path, LKL_O_RDWR | LKL_O_NONBLOCK);
    if (!tun)
        return tun;
    ifreq request{};
    std::memcpy(request.ifr_name, Tunnel::name, sizeof Tunnel::name);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    const int fd = tun->descriptor();
    if (const long made = kernel.syscall(__lkl__NR_ioctl, fd, TUNSETIFF, &request); made < 0)
        return call_error(made, "make interface");
    const unsigned left = offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0;
    if (const long set = kernel.syscall(__lkl__NR_ioctl, fd, TUNSETOFFLOAD, left); set < 0)
        return call_error(set, "set offloads of");
    return tun;
}

long set_option(const File& socket, int option, const void* value, size_t size)
{
    return socket.kernel().syscall(__lkl__NR_setsockopt, socket.descriptor(), SOL_SOCKET, option,
                                   value, size);
}

Result<File> open_sniffer(Kernel& kernel, int index, std::chrono::seconds timeout)
{
    const uint16_t all = htons(ETH_P_ALL);
    // Bound below, so that it has nothing of other interfaces.
    const long fd = kernel.syscall(__lkl__NR_socket, AF_PACKET, SOCK_DGRAM, 0);
    if (fd < 0)
        return call_error(fd, "open a packet socket for");
    File socket = File::adopt(kernel, static_cast<int>(fd));
    const int on = 1;
    const timeval wait{timeout.count(), 0};
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = all;
    address.sll_ifindex = index;
    long result = set_option(socket, SO_RCVBUFFORCE, &sniffer_buffer, sizeof sniffer_buffer);
    if (result == 0)
        result = set_option(socket, SO_TIMESTAMP, &on, sizeof on);
    if (result == 0)
        result = set_option(socket, SO_RCVTIMEO, &wait, sizeof wait);
    if (result == 0)
        result = kernel.syscall(__lkl__NR_bind, fd, &address, sizeof address);
    if (result < 0)
        return call_error(result, "listen on");
    return socket;
}

// Before it is up: nothing but what the script makes the stack send.
Result<void> keep_silent(Kernel& kernel)
{
    const std::string directory = std::string("net/ipv6/conf/") + name;
    auto done = lkl::file::write_sysctl(kernel, directory + "/addr_gen_mode", "1");
    if (done)
        done = lkl::file::write_sysctl(kernel, directory + "/router_solicitations", "0");
    return done;
}

Result<void> add_addresses(Netlink& net, int index, const Flags& flags)
{
    for (const IpPrefix& prefix : flags.addresses)
        if (auto added =
                net.add_address({.index = index, .prefix = prefix, .flags = LKL_IFA_F_NODAD});
            !added)
            return added;
    return {};
}

// By the gateway of the family, unless that is an address of our own: then the link itself.
Result<void> add_routes(Netlink& net, int index, const Flags& flags)
{
    for (const IpPrefix& remote : flags.remotes) {
        lkl::NextHop hop{.index = index};
        for (const auto& gateway : flags.gateways)
            if (gateway.is_v6() == remote.address.is_v6() &&
                std::none_of(flags.addresses.begin(), flags.addresses.end(),
                             [&](const IpPrefix& own) { return own.address == gateway; }))
                hop.gateway = gateway;
        if (auto added = net.add_route({.destination = remote.network(), .hops = {hop}}); !added)
            return added;
    }
    return {};
}

Result<int> configure(Kernel& kernel, const Flags& flags)
{
    auto net = Netlink::open(kernel);
    if (!net)
        return net.error();
    auto index = net->link_index(name);
    if (!index)
        return index;
    Result<void> done = keep_silent(kernel);
    if (done)
        done = net->set_up(loopback);
    if (done)
        done = net->set_mtu(*index, flags.mtu);
    if (done)
        done = add_addresses(*net, *index, flags);
    if (done)
        done = net->set_up(*index);
    if (done)
        done = net->set_qdisc(*index, "root", flags.qdisc);
    if (done)
        done = add_routes(*net, *index, flags);
    if (!done)
        return done.error();
    return index;
}

long long time_of(msghdr& message)
{
    timeval time{};
    for (cmsghdr* one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one))
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SO_TIMESTAMP)
            std::memcpy(&time, CMSG_DATA(one), sizeof time);
    return time.tv_sec * 1'000'000LL + time.tv_usec;
}

}  // namespace

Result<Tunnel> Tunnel::make(Kernel& kernel, const Flags& flags)
{
    auto tun = open_tun(kernel, flags.offload);
    if (!tun)
        return tun.error();
    const auto index = configure(kernel, flags);
    if (!index)
        return index.error();
    auto sniffer = open_sniffer(kernel, *index, flags.timeout);
    if (!sniffer)
        return sniffer.error();
    return Tunnel(kernel, *std::move(tun), *std::move(sniffer));
}

long Tunnel::send(std::span<const std::byte> packet) const
{
    Header header{};
    const iovec parts[] = {{header.data(), header.size()},
                           {const_cast<std::byte*>(packet.data()), packet.size()}};
    const long written =
        kernel_->syscall(__lkl__NR_writev, tun_.descriptor(), parts, std::size(parts));
    return written < 0 ? written : 0;
}

// A byte is enough to take a packet out of the interface, so that it never is full.
void Tunnel::drain() const
{
    std::byte start[sizeof(Header) + 1];
    while (kernel_->syscall(__lkl__NR_read, tun_.descriptor(), start, sizeof start) > 0) {}
}

long Tunnel::receive(std::span<std::byte> room, long long& microseconds) const
{
    for (;;) {
        sockaddr_ll from{};
        iovec part{room.data(), room.size()};
        alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(timeval))];
        msghdr message{};
        message.msg_name = &from;
        message.msg_namelen = sizeof from;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const long length = kernel_->syscall(__lkl__NR_recvmsg, sniffer_.descriptor(), &message, 0);
        if (length == -EINTR)
            continue;
        if (length < 0)
            return length;
        // The others are those of send().
        if (from.sll_pkttype != PACKET_OUTGOING)
            continue;
        drain();
        microseconds = time_of(message);
        return length;
    }
}

}  // namespace packetdrill
