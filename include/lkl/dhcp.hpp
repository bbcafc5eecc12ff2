// SPDX-License-Identifier: GPL-2.0-only
// A DHCP client (RFC 2131) for an interface of a kernel, by a UDP socket inside it. Nothing
// goes on in the background: who wants to keep an address calls dhcp_renew() in time.
//
//     net.set_up(eth0);
//     auto lease = lkl::dhcp_request(kernel, eth0);
//     lkl::apply_lease(net, eth0, *lease);
//
// The functions work in the calling thread's network namespace and wait as long as they are
// told to. Any thread may call them; one at a time for an interface.
//
// Errors: ENODEV (no such interface), EINVAL (it has no MAC address), and what the system
// calls of a socket may return.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <lkl/ip_address.hpp>
#include <lkl/kernel.hpp>
#include <lkl/netlink.hpp>
#include <lkl/result.hpp>

namespace lkl {

struct DhcpOptions {
    std::chrono::milliseconds timeout{60'000};    // for all of it
    std::chrono::milliseconds first_wait{4'000};  // for an answer; doubled each time
    std::string host_name = {};                   // told to the server; empty: none
};

struct DhcpRoute {
    IpPrefix destination;
    IpAddress gateway;  // 0.0.0.0: it is on the link
};

struct DhcpLease {
    IpPrefix address;
    IpAddress server;
    std::vector<DhcpRoute> routes;  // the default route among them
    std::vector<IpAddress> name_servers;
    std::string domain;  // empty: not told
    std::optional<uint16_t> mtu;
    uint32_t seconds = 0;      // how long it is valid; Address::forever
    uint32_t renew_after = 0;  // seconds; dhcp_renew() is due then

    // The default route's gateway.
    std::optional<IpAddress> router() const;
};

// Asks for an address on an interface that is up. ETIMEDOUT: no server has given one; what
// makes no sense counts as no answer.
Result<DhcpLease> dhcp_request(Kernel& kernel, int index, const DhcpOptions& options = {});
// Asks the server to prolong a lease that apply_lease() has set. EADDRNOTAVAIL: it does not,
// and the address must no longer be used, or the interface does not have it. ETIMEDOUT: valid
// until its end nevertheless.
Result<DhcpLease> dhcp_renew(Kernel& kernel, int index, const DhcpLease& lease,
                             const DhcpOptions& options = {});
// Tells the server that the address is no longer used; it does not answer. The caller takes
// the address from the interface afterwards. EADDRNOTAVAIL: the interface does not have it.
// ENETUNREACH: it is down.
Result<void> dhcp_release(Kernel& kernel, int index, const DhcpLease& lease);

// Sets the address with its lifetime, the MTU and the routes. A lease that was renewed
// takes the place of the one before. Name servers are for the caller to use. Errors: those
// of Netlink::replace_address(), set_mtu() and replace_route(): ENODEV, EPERM, EINVAL (an MTU
// that the interface cannot have), ENETUNREACH or ENETDOWN (it is down). What was set before one
// of them stays.
Result<void> apply_lease(Netlink& net, int index, const DhcpLease& lease);

}  // namespace lkl
