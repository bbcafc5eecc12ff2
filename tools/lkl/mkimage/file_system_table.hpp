// SPDX-License-Identifier: GPL-2.0-only
// The file systems that can be made, and the programs that make them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tools::mkimage {

// How the contents get in.
enum class Filling {
    kernel,    // it is mounted and written
    squashfs,  // mksquashfs packs a tar stream
    erofs,     // mkfs.erofs packs a directory
    nothing,   // it has none
};

enum class UuidForm {
    none,    // the program takes none
    uuid,    // 16 bytes
    serial,  // 8 hexadecimal digits
    hex16,   // 16 hexadecimal digits
};

// What contents need beside their data and directories in blocks, in bytes. Bounds from
// above for trees as they are; what they do not cover is found when the image is full.
struct SpaceModel {
    uint64_t file = 0;
    uint64_t name = 0;       // each
    uint64_t name_byte = 0;  // each byte of it
    uint64_t piece = 0;      // each piece of data, beyond one a file
    uint64_t per_mille = 0;  // of all
    uint64_t fixed = 0;
    bool fat = false;       // directories are FAT's
    bool indirect = false;  // blocks of ext2's block lists
};

// Texts are arguments; in those of label and uuid, {} is replaced.
struct FileSystem {
    std::string_view name = {};
    std::string_view kernel_type = {};
    Filling filling = Filling::kernel;
    std::string_view program = {};    // empty: nothing has to be made
    std::string_view package = {};    // of Debian
    std::string_view arguments = {};  // separated by blanks
    std::string_view label = {};
    size_t label_limit = 0;  // bytes
    std::string_view uuid = {};
    UuidForm uuid_form = UuidForm::none;
    uint64_t minimum = 0;  // bytes, of those made with size auto
    SpaceModel space = {};
    bool reproducible = false;  // the same bytes for the same SOURCE_DATE_EPOCH

    bool is_ext() const { return kernel_type.starts_with("ext"); }
};

// Throws ToolError, ExitCode::usage, for an unknown name.
const FileSystem& find_file_system(std::string_view name);

// All names, with ", " between them.
std::string file_system_names();

// Throws ToolError, ExitCode::usage, for what is no UUID of this type's form.
void check_volume_uuid(const FileSystem& type, const std::string& uuid, const std::string& where);

}  // namespace tools::mkimage
