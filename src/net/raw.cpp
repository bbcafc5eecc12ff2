// SPDX-License-Identifier: GPL-2.0-only
// An interface of the host through a packet socket (packet(7)).
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <lkl/net.hpp>

#include <net/duplicate.hpp>
#include <net/error.hpp>
#include <net/packet_files.hpp>

#ifndef PACKET_VNET_HDR_SZ
#define PACKET_VNET_HDR_SZ 24  // Linux 6.4
#endif

namespace lkl {

namespace {

constexpr int wanted_header = 12;
constexpr uint8_t old_header = 10;
constexpr uint16_t usual_mtu = 1500;

// Room for some of the longest packets.
constexpr int buffer_size = 4 << 20;

bool set_option(int fd, int name, const auto& value)
{
    return ::setsockopt(fd, SOL_PACKET, name, &value, sizeof value) == 0;
}

// A socket that is bound, whose packets have a header of that length.
std::unique_ptr<NetBackend> make_raw(posix::Descriptor socket, std::string name, uint8_t header)
{
    NetInfo info;
    info.header = header;
    // UDP segmentation, which packet sockets know of since Linux 6.2, cannot be asked for
    // without a packet. Those that take the longer header have it.
    info.transmit_offload = info.receive_offload =
        header == wanted_header ? NetOffload::all : NetOffload::all & ~NetOffload::uso;
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), sizeof request.ifr_name - 1);
    if (::ioctl(socket.get(), SIOCGIFMTU, &request) == 0 && request.ifr_mtu != usual_mtu &&
        request.ifr_mtu <= UINT16_MAX)
        info.mtu = static_cast<uint16_t>(request.ifr_mtu);
    info.name = std::move(name);
    std::vector<posix::Descriptor> files;
    files.push_back(std::move(socket));
    return std::make_unique<net::PacketFiles>(std::move(info), std::move(files));
}

}  // namespace

Result<std::unique_ptr<NetBackend>> open_raw(const std::string& name)
{
    const std::string what = "raw interface " + name;
    const unsigned index = ::if_nametoindex(name.c_str());
    if (index == 0)
        return net::host_error(what);
    // Of no protocol until it is bound: nothing of other interfaces comes in.
    posix::Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket)
        return net::host_error(what);

    uint8_t header = wanted_header;
    if (!set_option(socket.get(), PACKET_VNET_HDR_SZ, wanted_header)) {
        header = old_header;
        if (!set_option(socket.get(), PACKET_VNET_HDR, 1))
            return net::host_error(what + ": PACKET_VNET_HDR");
    }

    packet_mreq membership{};
    membership.mr_ifindex = static_cast<int>(index);
    membership.mr_type = PACKET_MR_PROMISC;
    if (!set_option(socket.get(), PACKET_IGNORE_OUTGOING, 1) ||
        !set_option(socket.get(), PACKET_ADD_MEMBERSHIP, membership))
        return net::host_error(what);
    for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE})
        ::setsockopt(socket.get(), SOL_SOCKET, option, &buffer_size, sizeof buffer_size);

    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(index);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return net::host_error(what);
    return make_raw(std::move(socket), name, header);
}

Result<std::unique_ptr<NetBackend>> open_raw(int descriptor)
{
    auto own = net::duplicate(descriptor);
    if (!own)
        return std::move(own).error();
    const std::string what = "descriptor " + std::to_string(descriptor);
    sockaddr_ll address{};
    socklen_t size = sizeof address;
    char name[IF_NAMESIZE];
    if (::getsockname(own->get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return net::host_error(what);
    if (address.sll_family != AF_PACKET || address.sll_protocol != htons(ETH_P_ALL))
        return Error{EINVAL, what + ": no packet socket of an interface"};
    if (!::if_indextoname(static_cast<unsigned>(address.sll_ifindex), name))
        return net::host_error(what);
    int header = 0;
    size = sizeof header;
    // Before Linux 6.4 there is one length, and it is asked for by another option.
    if (::getsockopt(own->get(), SOL_PACKET, PACKET_VNET_HDR_SZ, &header, &size) != 0) {
        int has_header = 0;
        size = sizeof has_header;
        if (::getsockopt(own->get(), SOL_PACKET, PACKET_VNET_HDR, &has_header, &size) != 0)
            return net::host_error(what);
        header = has_header ? old_header : 0;
    }
    if (header == 0)
        return Error{EINVAL, what + ": its packets have no header"};
    return make_raw(std::move(*own), name, static_cast<uint8_t>(header));
}

}  // namespace lkl
