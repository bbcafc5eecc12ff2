// SPDX-License-Identifier: GPL-2.0-only
// Copying into a mounted image: the way from any source to the flushed image.
#pragma once

#include <functional>
#include <string>

#include <lkl/file.hpp>

#include "common/mounted_image.hpp"
#include "common/tree/entry_sink.hpp"
#include "common/tree/failures.hpp"

namespace tools {

// The directory of an image that files are made in.
struct ImageTop {
    lkl::File directory;
    std::string path;  // for messages
};

// give(sink) gives all files; they are made below `top` by a thread of its own. Then
// the image is unmounted and flushed. any_order: see WriteOptions. Throws ToolError,
// last of all for what `failures` counted.
void write_image(MountedImage& image, ImageTop top, bool any_order, Failures& failures,
                 const std::function<void(EntrySink&)>& give);

}  // namespace tools
