// SPDX-License-Identifier: GPL-2.0-only
// Runs the program that makes an empty file system.
#pragma once

#include <cstdint>
#include <optional>

#include "lkl/mkimage/contents.hpp"
#include "lkl/mkimage/context.hpp"
#include "lkl/mkimage/kernel_filling.hpp"
#include "lkl/mkimage/specification.hpp"

namespace tools::mkimage {

struct MkfsRequest {
    const FileSystem& type;
    const Volume& volume;              // with a UUID, if the type has one
    std::optional<Contents> contents;  // if they are known
    uint64_t size = 0;                 // bytes
    uint64_t extra = 0;                // bytes of it that shall be free
    uint64_t disk_offset = 0;          // bytes: where it will be on its disk
};

// The arguments for label, UUID and the user's own, in this order.
std::vector<std::string> volume_arguments(const FileSystem& type, const Volume& volume);

// More names are in the top directory than there is room for in that of FAT 12 and 16.
bool needs_fat32(const Contents& contents);

// What a program finds a descriptor of ours by, if it keeps that.
std::string path_of(int descriptor);

// The file gets the size, and is otherwise empty, before the program runs. Throws
// ToolError.
void make_file_system(const Context& context, const MkfsRequest& request, const VolumeFile& file);

}  // namespace tools::mkimage
