// SPDX-License-Identifier: GPL-2.0-only
// What our kernel's side of a network device is to be like.
#pragma once

#include <lkl/kernel.hpp>

#include "config/configuration.hpp"

namespace lkl::config {

// MTU and offloads.
lkl::Result<lkl::NetOptions> device_options(const Interface& interface);

}  // namespace lkl::config
