// SPDX-License-Identifier: GPL-2.0-only
// What carries the packets of a device.
#pragma once

#include <memory>

#include <lkl/net.hpp>

#include "config/configuration.hpp"

namespace lkl::config {

// Of the interface's type and parameter, or of its descriptor where that is open. Null: the type is
// "none", the loopback interface is all.
lkl::Result<std::unique_ptr<lkl::NetBackend>> open_backend(const Interface& interface);

// A descriptor of the device, `least` or above, that programs inherit, for
// Interface::descriptor; -1: there is none for the type, or it cannot be opened, which
// open_backend() will tell.
int duplicate_device(const Interface& interface, int least);

}  // namespace lkl::config
