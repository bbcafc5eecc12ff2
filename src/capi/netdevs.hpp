// SPDX-License-Identifier: GPL-2.0-only
// Network devices of the C interface, for the other parts of it.
#pragma once

#include <memory>

#include <lkl/kernel.hpp>
#include <lkl/netdev.h>
#include <lkl/packet.hpp>
#include <lkl/result.hpp>

namespace lkl::capi {

// A device with a back end, as the lkl_netdev_*_create() return. Null: `backend` is an
// error, which lkl_error_message() tells.
lkl_netdev* make_device(Result<std::unique_ptr<NetBackend>> backend, unsigned offload);

// Adds one that make_device() has made. Its number, or a negative error number.
int add_device(lkl_netdev& device, const NetOptions& options);

}  // namespace lkl::capi
