// SPDX-License-Identifier: GPL-2.0-only
// The network of our kernel as the configuration asks for it.
#pragma once

#include <string>

#include <lkl/kernel.hpp>

#include "hijack/config.hpp"

namespace hijack::network {

// Devices, addresses, routes, settings. Empty, or what failed.
std::string configure(lkl::Kernel& kernel, const Configuration& configuration);

// Until what was written to TCP sockets that are closed has been acknowledged; for a few
// seconds at most.
void wait_until_sent(lkl::Kernel& kernel);

}  // namespace hijack::network
