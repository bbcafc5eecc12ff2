// SPDX-License-Identifier: GPL-2.0-only
// File systems that are made with their contents: SquashFS and EROFS.
#pragma once

#include <cstdint>

#include "lkl/mkimage/contents.hpp"
#include "lkl/mkimage/context.hpp"
#include "lkl/mkimage/kernel_filling.hpp"
#include "lkl/mkimage/specification.hpp"

namespace tools::mkimage {

// What cannot be packed in the way that was asked for. Throws ToolError, ExitCode::usage.
void check_packing(const Context& context, const FileSystem& type, const Source& source);

// The contents get there as a tar archive, which has no sockets.
bool goes_by_archive(const Context& context, const FileSystem& type, const Source& source);

// Makes it in the file, which ends with it. Throws ToolError.
void pack(const Context& context, const FileSystem& type, const Volume& volume,
          const Contents& contents, const Source& source, const VolumeFile& file);

}  // namespace tools::mkimage
