// SPDX-License-Identifier: GPL-2.0-only
// The settings are the library's: its C interface has them as well (lkl_config.h).
#pragma once

#include "config/configuration.hpp"

namespace hijack {

using namespace lkl::config;

}  // namespace hijack
