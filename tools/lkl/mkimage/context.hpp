// SPDX-License-Identifier: GPL-2.0-only
// What all parts of the work on one image share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/mounted_image.hpp"
#include "common/tree/copy_result.hpp"
#include "lkl/mkimage/source.hpp"

namespace tools::mkimage {

struct Context {
    ImageRequest kernel;  // how a kernel is started and mounts; neither path nor type
    CopyChoices copy;
    CopyResult* result = nullptr;   // what goes wrong is listed there, or nowhere; shared
    std::optional<int64_t> epoch;   // SOURCE_DATE_EPOCH, seconds since 1970
    std::string image;              // its name, for messages
    std::string unfinished;         // where it is while it is made; empty: nowhere else
    std::string scratch_directory;  // where it will be
};

}  // namespace tools::mkimage
