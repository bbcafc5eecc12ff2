// SPDX-License-Identifier: GPL-2.0-only
// Addresses, routes, neighbours and queues of an interface.
#pragma once

#include <lkl/netlink.hpp>

#include "config/configuration.hpp"

namespace lkl::config {

// Sets up interface `index`, which may have any state.
lkl::Result<void> set_up_link(lkl::Netlink& net, int index, const Interface& interface);

// The default routes.
lkl::Result<void> set_gateways(lkl::Netlink& net, const Configuration& configuration);

}  // namespace lkl::config
