// SPDX-License-Identifier: GPL-2.0-only
// Contents get into a file system through a kernel of ours, in a process that is shut in.
#pragma once

#include <cstdint>
#include <string>

#include "lkl/mkimage/context.hpp"
#include "lkl/mkimage/file_system_table.hpp"

namespace tools::mkimage {

// A file that a file system fills; open for reading and writing.
struct VolumeFile {
    int descriptor;
    std::string shown;  // for messages
};

// Copies everything. Throws ToolError: what failed of single files was told before; the
// cause is ENOSPC when it did not fit. totals: for the progress bar.
void fill_by_kernel(const Context& context, const FileSystem& type, const VolumeFile& file,
                    const Source& source, const ProgressTotals& totals);

struct Room {
    uint64_t block_size = 0;  // bytes
    uint64_t free = 0;        // bytes
};
// What a file system that has just been made says of itself.
Room ask_for_room(const Context& context, const FileSystem& type, const VolumeFile& file);

}  // namespace tools::mkimage
