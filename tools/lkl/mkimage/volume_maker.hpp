// SPDX-License-Identifier: GPL-2.0-only
// One file system with its contents, in a file that it fills.
#pragma once

#include <cstdint>
#include <string>

#include "lkl/mkimage/context.hpp"
#include "lkl/mkimage/kernel_filling.hpp"
#include "lkl/mkimage/specification.hpp"

namespace tools::mkimage {

struct VolumePlace {
    VolumeFile file;
    uint64_t disk_offset = 0;  // bytes: where it will be on its disk
    uint64_t unit = 0;         // bytes, a power of two, that its size is a multiple of
};

struct MadeVolume {
    uint64_t size = 0;   // bytes
    uint64_t files = 0;  // that were put in; 0 if that is not known
    uint64_t bytes = 0;  // of data
    // Of the files.
    uint64_t directories = 0;
    uint64_t symlinks = 0;
    uint64_t other = 0;
};

// volume: of a size that is fixed or automatic; with a UUID, if its type has one. Throws
// ToolError.
MadeVolume make_volume(const Context& context, const Volume& volume, const VolumePlace& place);

}  // namespace tools::mkimage
