// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/network/network.hpp"

#include <cerrno>
#include <chrono>
#include <sstream>
#include <thread>

#include <lkl/net.hpp>
#include <lkl/netlink.hpp>

#include "config/backends.hpp"
#include "config/device_options.hpp"
#include "config/device_types.hpp"
#include "config/links.hpp"
#include "config/lists.hpp"
#include "file/sysctl.hpp"
#include "hijack/files/images.hpp"
#include "hijack/network/leases.hpp"
#include "hijack/network/proc.hpp"

namespace hijack::network {

namespace {

using lkl::Kernel;
using lkl::Netlink;
using lkl::Result;

constexpr int loopback = 1;

// They stay for the rest of the process.
std::vector<lkl::NetDevice>& devices()
{
    static auto& all = *new std::vector<lkl::NetDevice>;
    return all;
}

Result<void> mount_all(Kernel& kernel, const Configuration& configuration)
{
    for (const char* type : {"proc", "sysfs"})
        if (auto mounted = mount_plain(kernel, type); !mounted)
            return mounted;
    for (const std::string& type : split(configuration.mount, ','))
        if (auto mounted = mount_plain(kernel, type); !mounted && mounted.error().code != EBUSY)
            return mounted;
    return {};
}

Result<void> add_device(Kernel& kernel, Netlink& net, const Interface& one, const std::string& pcap)
{
    auto backend = open_backend(one);
    if (!backend)
        return backend.error();
    if (!*backend)
        return {};
    if (!pcap.empty())
        backend = lkl::make_pcap(*std::move(backend), pcap, {.append = true});
    if (!backend)
        return backend.error();
    const auto options = device_options(one);
    if (!options)
        return options.error();
    auto device = lkl::NetDevice::add(kernel, *std::move(backend), *options);
    if (!device)
        return device.error();
    const int index = device->ifindex();
    devices().push_back(*std::move(device));
    if (auto set = set_up_link(net, index, one); !set)
        return set;
    return wants_dhcp(one) ? take_lease(net, index, !one.mtu.empty()) : Result<void>();
}

Result<void> set_sysctls(Kernel& kernel, const Configuration& configuration)
{
    // Any user may ping, as on most machines, and ports below 1024 are the program's.
    Result<void> done =
        lkl::file::write_sysctl(kernel, "net.ipv4.ping_group_range", "0 2147483647");
    if (done && !configuration.congestion.empty())
        done = lkl::file::write_sysctl(kernel, "net.ipv4.tcp_congestion_control",
                                       configuration.congestion);
    for (const std::string& one : split(configuration.sysctl, ';')) {
        const auto [name, value] = cut(one, "=|");
        if (done)
            done = lkl::file::write_sysctl(kernel, name, value);
    }
    return done;
}

Result<void> configure_all(Kernel& kernel, const Configuration& configuration)
{
    if (auto mounted = mount_all(kernel, configuration); !mounted)
        return mounted;
    auto net = Netlink::open(kernel);
    if (!net)
        return net.error();
    if (auto up = net->set_up(loopback); !up)
        return up;
    for (const Interface& one : configuration.interfaces)
        if (auto added = add_device(kernel, *net, one, configuration.pcap); !added)
            return added;
    if (auto set = set_gateways(*net, configuration); !set)
        return set;
    if (auto set = set_sysctls(kernel, configuration); !set)
        return set;
    return images::mount_all(kernel, configuration);
}

// Connections that are closed and whose peer has not confirmed all: FIN_WAIT1, LAST_ACK
// and CLOSING in the file's fourth column.
bool any_unconfirmed(const std::string& table)
{
    std::istringstream lines(table);
    std::string line, word;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        for (int column = 0; column < 4; column++)
            words >> word;
        if (word == "04" || word == "09" || word == "0B")
            return true;
    }
    return false;
}

}  // namespace

std::string configure(Kernel& kernel, const Configuration& configuration)
{
    const auto done = configure_all(kernel, configuration);
    return done ? std::string() : done.error().what;
}

void wait_until_sent(Kernel& kernel)
{
    using namespace std::chrono_literals;
    const auto end = std::chrono::steady_clock::now() + 3s;
    for (std::chrono::milliseconds pause(1); std::chrono::steady_clock::now() < end;
         pause = std::min(pause * 2, 16ms)) {
        if (!any_unconfirmed(read_file(kernel, "/proc/net/tcp")) &&
            !any_unconfirmed(read_file(kernel, "/proc/net/tcp6")))
            return;
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace hijack::network
