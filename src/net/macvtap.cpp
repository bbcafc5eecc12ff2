// SPDX-License-Identifier: GPL-2.0-only
// Macvtap interfaces: a tap whose host side is an interface of its own address.
#include <algorithm>
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

namespace lkl {

namespace {

// The address of the interface that the device belongs to: only packets for it arrive.
Result<MacAddress> address_of(int device, const std::string& what)
{
    ifreq request{};
    const posix::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::ioctl(device, TUNGETIFF, &request) != 0 || !socket ||
        ::ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0)
        return net::host_error(what);
    MacAddress mac;
    std::copy_n(request.ifr_hwaddr.sa_data, mac.bytes.size(), mac.bytes.begin());
    return mac;
}

Result<std::unique_ptr<NetBackend>> make_macvtap(posix::Descriptor file, const std::string& name,
                                                 const std::string& what)
{
    const auto mac = address_of(file.get(), what);
    if (!mac)
        return Error(mac.error());
    NetInfo info;
    info.name = name;
    info.mac = *mac;
    std::vector<posix::Descriptor> files;
    files.push_back(std::move(file));
    return net::make_tap(std::move(files), std::move(info));
}

}  // namespace

Result<std::unique_ptr<NetBackend>> open_macvtap(const std::string& name)
{
    const std::string what = "macvtap " + name;
    std::string path = name;
    if (name.find('/') == std::string::npos) {
        const unsigned index = ::if_nametoindex(name.c_str());
        if (index == 0)
            return net::host_error(what);
        path = "/dev/tap" + std::to_string(index);
    }
    posix::Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!file)
        return net::host_error(what + ": " + path);
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (::ioctl(file.get(), TUNSETIFF, &request) != 0)
        return net::host_error(what);
    return make_macvtap(std::move(file), name, what);
}

Result<std::unique_ptr<NetBackend>> open_macvtap(int descriptor)
{
    auto own = net::duplicate(descriptor);
    if (!own)
        return std::move(own).error();
    return make_macvtap(std::move(*own), {}, "descriptor " + std::to_string(descriptor));
}

}  // namespace lkl
