// SPDX-License-Identifier: GPL-2.0-only
// Addresses that a DHCP server gives, for as long as the process runs.
#pragma once

#include <string>

#include <lkl/netlink.hpp>

namespace hijack::network {

// Asks on interface `index`, which is up, and sets what the server says. A thread of its
// own (lkl-dhcp) keeps the lease from then on. `own_mtu`: the interface has one that the
// server does not change. ETIMEDOUT: no server has answered.
lkl::Result<void> take_lease(lkl::Netlink& net, int index, bool own_mtu);

// What the leases say of name servers, as a resolv.conf(5); empty: nothing.
std::string lease_resolv_conf();

// Gives all of them back. Before the kernel's halt.
void release_leases(lkl::Kernel& kernel);

}  // namespace hijack::network
