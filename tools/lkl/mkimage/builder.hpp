// SPDX-License-Identifier: GPL-2.0-only
// A whole image.
#pragma once

#include "lkl/mkimage/context.hpp"
#include "lkl/mkimage/specification.hpp"
#include "lkl/mkimage/summary.hpp"

namespace tools::mkimage {

// Makes the file at `path`, whole and on stable storage, or leaves what was there. The
// specification was checked; what it leaves open, UUIDs and sizes, is filled in. Throws
// ToolError. The summary points into it.
Summary build_image(ImageSpecification& image, const std::string& path, Context context);

}  // namespace tools::mkimage
