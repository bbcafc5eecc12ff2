// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/network/leases.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <lkl/dhcp.hpp>
#include <lkl/linux/neighbour.h>

#include "hijack/preload/helper_thread.hpp"

namespace hijack::network {

namespace {

using namespace std::chrono_literals;
using lkl::DhcpLease;
using lkl::Kernel;
using lkl::Netlink;
using lkl::Result;

// Some servers look for three seconds whether anybody has the address.
const lkl::DhcpOptions patience{.timeout = 20s, .first_wait = 1s, .host_name = {}};
constexpr auto pause_after_failure = 60s;

struct Held {
    int index;
    DhcpLease lease;
};

// They stay until the process has ended, as their threads do.
std::mutex& mutex()
{
    static auto& one = *new std::mutex;
    return one;
}
std::vector<Held>& leases()  // under the mutex
{
    static auto& all = *new std::vector<Held>;
    return all;
}

void hold(int index, const DhcpLease& lease)
{
    const std::lock_guard lock(mutex());
    for (Held& held : leases())
        if (held.index == index) {
            held.lease = lease;
            return;
        }
    leases().push_back({index, lease});
}

// The one before is prolonged; where its server does not do so, any server may give one.
Result<DhcpLease> renew(Kernel& kernel, int index, const DhcpLease& before)
{
    auto next = lkl::dhcp_renew(kernel, index, before, patience);
    return next ? next : lkl::dhcp_request(kernel, index, patience);
}

// As long as nobody prolongs it, the kernel counts the address's lifetime down by itself.
void keep(Kernel& kernel, int index, DhcpLease lease)
{
    while (lease.seconds != lkl::Address::forever) {
        std::this_thread::sleep_for(std::chrono::seconds(std::max(lease.renew_after, 1u)));
        auto next = renew(kernel, index, lease);
        for (; !next; next = renew(kernel, index, lease)) {
            if (next.error().code == ESHUTDOWN)
                return;
            std::this_thread::sleep_for(pause_after_failure);
        }
        auto net = Netlink::open(kernel);
        if (!net)
            return;
        if (next->address != lease.address)
            (void)net->delete_address(index, lease.address);
        // An MTU is set once: a program or an option may have changed it since.
        next->mtu.reset();
        (void)lkl::apply_lease(*net, index, *next);
        hold(index, *next);
        lease = *std::move(next);
    }
}

// A packet waits where its receiver's hardware address is being asked for.
void wait_for_neighbours(Kernel& kernel, int index)
{
    auto net = Netlink::open(kernel);
    const auto asked_for = [](const lkl::Neighbour& one) {
        return (one.state & LKL_NUD_INCOMPLETE) != 0;
    };
    for (int i = 0; net && i < 100; i++) {
        const auto all = net->neighbours(index);
        if (!all || std::none_of(all->begin(), all->end(), asked_for))
            return;
        std::this_thread::sleep_for(2ms);
    }
}

}  // namespace

Result<void> take_lease(Netlink& net, int index, bool own_mtu)
{
    Kernel& kernel = net.kernel();
    auto lease = lkl::dhcp_request(kernel, index, patience);
    if (!lease)
        return lease.error();
    if (own_mtu)
        lease->mtu.reset();
    if (auto applied = lkl::apply_lease(net, index, *lease); !applied)
        return applied;
    hold(index, *lease);
    if (!start_helper("lkl-dhcp", [&kernel, index, lease = *lease] { keep(kernel, index, lease); }))
        return lkl::Error{EAGAIN, "DHCP: the host has no thread left"};
    return {};
}

std::string lease_resolv_conf()
{
    const std::lock_guard lock(mutex());
    std::string text;
    for (const auto& [index, lease] : leases()) {
        for (const lkl::IpAddress& server : lease.name_servers)
            text += "nameserver " + server.text() + "\n";
        if (!lease.domain.empty())
            text += "search " + lease.domain + "\n";
    }
    return text;
}

void release_leases(Kernel& kernel)
{
    const std::lock_guard lock(mutex());
    for (const auto& [index, lease] : leases())
        if (lkl::dhcp_release(kernel, index, lease))
            wait_for_neighbours(kernel, index);
}

}  // namespace hijack::network
