// SPDX-License-Identifier: GPL-2.0-only
// Puts a program in the place of this one, with the preload library under it.
#pragma once

#include <string>
#include <vector>

#include "config/configuration.hpp"

namespace tools::run {

// Does not return: throws ToolError where it cannot.
[[noreturn]] void launch(const std::string& path, const std::vector<std::string>& words,
                         lkl::config::Configuration configuration);

}  // namespace tools::run
