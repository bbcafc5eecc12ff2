// SPDX-License-Identifier: GPL-2.0-only
// Copying into a mounted image: the way from any source to the flushed image.
#pragma once

#include <functional>

#include <lkl/file.hpp>

#include "common/mounted_image.hpp"
#include "common/tree/entry_sink.hpp"
#include "common/tree/failures.hpp"

namespace tools {

// give(sink) gives all files; they are made below `top` by a thread of its own. Then
// the image is unmounted and flushed. Throws ToolError, last of all for what
// `failures` counted.
void write_image(MountedImage& image, lkl::File top, bool any_order, Failures& failures,
                 const std::function<void(EntrySink&)>& give);

}  // namespace tools
