// SPDX-License-Identifier: GPL-2.0-only
// Colours of names by the type of the file, those that ls(1) has where nobody chose others.
#pragma once

#include <string>

#include <lkl/file.hpp>

namespace tools::lkl_tool {

// text: safe for a terminal.
std::string in_colour(const std::string& text, const lkl::Stat& stat);

}  // namespace tools::lkl_tool
