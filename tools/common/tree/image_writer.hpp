// SPDX-License-Identifier: GPL-2.0-only
// Copying into a mounted image: the way from any source to the flushed image.
#pragma once

#include <functional>
#include <string>

#include <lkl/file.hpp>

#include "common/mounted_image.hpp"
#include "common/tree/entry_sink.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/sources.hpp"

namespace tools {

// The directory of an image that files are made in.
struct ImageTop : Target<lkl::File> {
    std::string path;  // of the directory, for messages
};

// Where sources go, as in cp; many: they are several. Throws ToolError, ExitCode::path
// where the path is at fault.
ImageTop open_image_top(MountedImage& image, const std::string& destination, bool many);

// give(sink) gives all files; they are made below `top` by a thread of its own.
// any_order: see WriteOptions. Throws ToolError.
void write_into(MountedImage& image, ImageTop top, bool any_order, Failures& failures,
                const std::function<void(EntrySink&)>& give);
// The same in the caller's thread, for sources in the very image.
void write_within(MountedImage& image, ImageTop top, Failures& failures,
                  const std::function<void(EntrySink&)>& give);

// As write_into(); then the image is unmounted and flushed. Throws ToolError, last of all
// for what `failures` counted.
void write_image(MountedImage& image, ImageTop top, bool any_order, Failures& failures,
                 const std::function<void(EntrySink&)>& give);

}  // namespace tools
