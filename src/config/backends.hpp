// SPDX-License-Identifier: GPL-2.0-only
// What carries the packets of a device.
#pragma once

#include <memory>

#include <lkl/net.hpp>

#include "config/configuration.hpp"

namespace lkl::config {

// Of the interface's type and parameter. Null: the type is "none", the loopback interface
// is all.
lkl::Result<std::unique_ptr<lkl::NetBackend>> open_backend(const Interface& interface);

}  // namespace lkl::config
