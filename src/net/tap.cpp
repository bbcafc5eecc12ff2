// SPDX-License-Identifier: GPL-2.0-only
// Tap interfaces (Documentation/networking/tuntap.rst of Linux).
#include <cstdint>
#include <string>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <lkl/net.hpp>

#include <net/duplicate.hpp>
#include <net/error.hpp>
#include <net/packet_files.hpp>
#include <net/tap.hpp>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

namespace lkl::net {

namespace {

constexpr int header_length = 12;
constexpr uint16_t usual_mtu = 1500;

// What the tap leaves to us, for TUNSETOFFLOAD.
unsigned long to_tun(uint32_t offload)
{
    unsigned long flags = 0;
    flags |= offload & NetOffload::checksum ? TUN_F_CSUM : 0;
    flags |= offload & NetOffload::tso4 ? TUN_F_TSO4 : 0;
    flags |= offload & NetOffload::tso6 ? TUN_F_TSO6 : 0;
    flags |= offload & NetOffload::ecn ? TUN_F_TSO_ECN : 0;
    flags |= offload & NetOffload::uso ? TUN_F_USO4 | TUN_F_USO6 : 0;
    return flags;
}

class Tap final : public PacketFiles {
public:
    using PacketFiles::PacketFiles;

    void set_receive_offload(uint32_t offload) noexcept override
    {
        ::ioctl(files_[0].get(), TUNSETOFFLOAD, to_tun(offload));
    }

    // A queue that nobody reads must not get packets. Fails where the interface has one
    // queue alone, and then there is nothing to do.
    void set_queue_pairs(unsigned count) noexcept override
    {
        for (size_t i = 1; i < files_.size(); ++i) {
            ifreq request{};
            request.ifr_flags = i < count ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
            ::ioctl(files_[i].get(), TUNSETQUEUE, &request);
        }
    }
};

// What the host can do, found by asking for it.
uint32_t probe_offload(int fd)
{
    uint32_t offload = NetOffload::all;
    if (::ioctl(fd, TUNSETOFFLOAD, to_tun(offload)) == 0)
        return offload;
    offload &= ~NetOffload::uso;
    return ::ioctl(fd, TUNSETOFFLOAD, to_tun(offload)) == 0 ? offload : 0;
}

uint16_t mtu_of(const ifreq& interface)
{
    const posix::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request = interface;
    if (!socket || ::ioctl(socket.get(), SIOCGIFMTU, &request) != 0)
        return 0;
    const bool usual = request.ifr_mtu == usual_mtu || request.ifr_mtu > UINT16_MAX;
    return usual ? 0 : static_cast<uint16_t>(request.ifr_mtu);
}

// Attaches a queue to the interface that `request` names, or to one that is made so. One that
// exists takes no other word for whether it has several queues than its own: of several, a
// single one can be used all the same.
Result<posix::Descriptor> attach(ifreq& request, const std::string& what)
{
    posix::Descriptor file(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!file)
        return host_error("/dev/net/tun");
    // The first one fills the name in.
    if (::ioctl(file.get(), TUNSETIFF, &request) == 0)
        return file;
    if (errno != EINVAL)
        return host_error(what);
    ifreq other = request;
    other.ifr_flags = static_cast<short>(request.ifr_flags ^ IFF_MULTI_QUEUE);
    if (::ioctl(file.get(), TUNSETIFF, &other) != 0)
        return Error{EINVAL, what + ": not a tap interface, nor a name for one"};
    if (request.ifr_flags & IFF_MULTI_QUEUE)
        return Error{EINVAL, what + ": it has one queue alone (no IFF_MULTI_QUEUE)"};
    return file;
}

}  // namespace

Result<std::unique_ptr<NetBackend>> make_tap(std::vector<posix::Descriptor> files, NetInfo info)
{
    ifreq interface {
    };
    const int fd = files[0].get();
    if (::ioctl(fd, TUNGETIFF, &interface) != 0)
        return host_error(info.name + ": no tap interface");
    if (info.name.empty())
        info.name = interface.ifr_name;
    if (!(interface.ifr_flags & IFF_TAP) || !(interface.ifr_flags & IFF_NO_PI))
        return Error{EINVAL, info.name + ": a tun interface, or one with packet information"};
    if (interface.ifr_flags & IFF_VNET_HDR) {
        const int length = header_length;
        if (::ioctl(fd, TUNSETVNETHDRSZ, &length) != 0)
            return host_error(info.name + ": the length of the packet header");
        info.header = header_length;
        info.transmit_offload = info.receive_offload = probe_offload(fd);
    }
    info.mtu = mtu_of(interface);
    info.queue_pairs = static_cast<uint16_t>(files.size());
    return std::unique_ptr<NetBackend>(std::make_unique<Tap>(std::move(info), std::move(files)));
}

}  // namespace lkl::net

namespace lkl {

Result<std::unique_ptr<NetBackend>> open_tap(const std::string& name, const TapOptions& options)
{
    const std::string what = "tap " + name;
    if (name.size() >= IFNAMSIZ || options.queue_pairs < 1)
        return Error{EINVAL, what + ": the name is too long, or there are no queues"};
    ifreq interface {
    };
    name.copy(interface.ifr_name, IFNAMSIZ - 1);
    int flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (options.queue_pairs > 1)
        flags |= IFF_MULTI_QUEUE;
    interface.ifr_flags = static_cast<short>(flags);

    std::vector<posix::Descriptor> files;
    for (unsigned i = 0; i < options.queue_pairs; ++i) {
        auto file = net::attach(interface, what);
        if (!file)
            return std::move(file).error();
        files.push_back(*std::move(file));
    }
    NetInfo info;
    info.name = interface.ifr_name;
    return net::make_tap(std::move(files), std::move(info));
}

Result<std::unique_ptr<NetBackend>> open_tap(int descriptor)
{
    auto own = net::duplicate(descriptor);
    if (!own)
        return std::move(own).error();
    std::vector<posix::Descriptor> files;
    files.push_back(std::move(*own));
    return net::make_tap(std::move(files), {});
}

}  // namespace lkl
