// SPDX-License-Identifier: GPL-2.0-only
// The description of an image in a JSON file; lkl-mkimage(1) has its format.
#pragma once

#include <string>

#include "lkl/mkimage/specification.hpp"

namespace tools::mkimage {

// Throws ToolError: ExitCode::usage.
ImageSpecification read_layout(const std::string& path);

}  // namespace tools::mkimage
