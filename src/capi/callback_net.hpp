// SPDX-License-Identifier: GPL-2.0-only
// A network device whose packets go through a caller's functions.
#pragma once

#include <memory>

#include <lkl/netdev.h>
#include <lkl/packet.hpp>
#include <lkl/result.hpp>

namespace lkl::capi {

// Errors: EINVAL (a function is missing).
Result<std::unique_ptr<NetBackend>> make_callback_net(lkl_netdev& device);

}  // namespace lkl::capi
