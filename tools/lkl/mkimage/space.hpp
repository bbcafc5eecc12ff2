// SPDX-License-Identifier: GPL-2.0-only
// How much room contents need in a file system.
#pragma once

#include <cstdint>

#include "lkl/mkimage/contents.hpp"
#include "lkl/mkimage/file_system_table.hpp"
#include "lkl/mkimage/size_request.hpp"

namespace tools::mkimage {

// Bytes of an empty file system with blocks of this size that the contents take.
uint64_t needed_bytes(const FileSystem& type, const Contents& contents, uint64_t block_size);

// The free space that was asked for.
uint64_t extra_bytes(const SizeRequest& request, uint64_t needed);

}  // namespace tools::mkimage
