// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/file_system_table.hpp"

#include <algorithm>

#include <uuid/uuid.h>

#include "common/report.hpp"

namespace tools::mkimage {

namespace {

constexpr uint64_t kib = 1 << 10;
constexpr uint64_t mib = 1 << 20;

constexpr SpaceModel ext2_space{.per_mille = 3, .fixed = 64 * kib, .indirect = true};
constexpr SpaceModel ext4_space{.piece = 12, .per_mille = 1, .fixed = 64 * kib};

// ext: 4 KiB blocks also in small ones, and nothing set aside for root. FAT and NTFS do
// not ask for their place on a disk, adapt_arguments() tells it.
constexpr std::array table{
    FileSystem{.name = "ext2",
               .kernel_type = "ext2",
               .program = "mkfs.ext2",
               .package = "e2fsprogs",
               .arguments = "-q -F -b 4096 -I 256 -m 0",
               .label = "-L {}",
               .label_limit = 16,
               .uuid = "-U {}",
               .uuid_form = UuidForm::uuid,
               .minimum = 256 * kib,
               .space = ext2_space,
               .reproducible = true},
    FileSystem{.name = "ext3",
               .kernel_type = "ext3",
               .program = "mkfs.ext3",
               .package = "e2fsprogs",
               .arguments = "-q -F -b 4096 -I 256 -m 0",
               .label = "-L {}",
               .label_limit = 16,
               .uuid = "-U {}",
               .uuid_form = UuidForm::uuid,
               .minimum = 8 * mib,
               .space = ext2_space,
               .reproducible = true},
    FileSystem{.name = "ext4",
               .kernel_type = "ext4",
               .program = "mkfs.ext4",
               .package = "e2fsprogs",
               .arguments = "-q -F -b 4096 -I 256 -m 0",
               .label = "-L {}",
               .label_limit = 16,
               .uuid = "-U {}",
               .uuid_form = UuidForm::uuid,
               .minimum = 8 * mib,
               .space = ext4_space,
               .reproducible = true},
    FileSystem{
        .name = "xfs",
        .kernel_type = "xfs",
        .program = "mkfs.xfs",
        .package = "xfsprogs",
        .arguments = "-q -f",
        .label = "-L {}",
        .label_limit = 12,
        .uuid = "-m uuid={}",
        .uuid_form = UuidForm::uuid,
        .minimum = 300 * mib,
        .space = {.file = 600, .name_byte = 1, .piece = 32, .per_mille = 10, .fixed = 2 * mib}},
    FileSystem{.name = "btrfs",
               .kernel_type = "btrfs",
               .program = "mkfs.btrfs",
               .package = "btrfs-progs",
               .arguments = "-q -f",
               .label = "-L {}",
               .label_limit = 255,
               .uuid = "-U {}",
               .uuid_form = UuidForm::uuid,
               .minimum = 128 * mib,
               .space = {.file = 1400,
                         .name = 300,
                         .name_byte = 6,
                         .piece = 300,
                         .per_mille = 30,
                         .fixed = 24 * mib}},
    FileSystem{.name = "f2fs",
               .kernel_type = "f2fs",
               .program = "mkfs.f2fs",
               .package = "f2fs-tools",
               .arguments = "-q -f",
               .label = "-l {}",
               .label_limit = 512,
               .uuid = "-U {}",
               .uuid_form = UuidForm::uuid,
               .minimum = 52 * mib,
               .space = {.file = 4 * kib,
                         .name = 12,
                         .name_byte = 1,
                         .piece = 16,
                         .per_mille = 10,
                         .fixed = 12 * mib}},
    FileSystem{
        .name = "nilfs2",
        .kernel_type = "nilfs2",
        .program = "mkfs.nilfs2",
        .package = "nilfs-tools",
        .arguments = "-q",
        .label = "-L {}",
        .label_limit = 80,
        .minimum = 132 * mib,
        .space = {.file = 400, .name = 16, .piece = 32, .per_mille = 150, .fixed = 24 * mib}},
    FileSystem{.name = "jfs",
               .kernel_type = "jfs",
               .program = "mkfs.jfs",
               .package = "jfsutils",
               .arguments = "-q",
               .label = "-L {}",
               .label_limit = 11,
               .minimum = 16 * mib,
               .space = {.file = 640,
                         .name = 32,
                         .name_byte = 2,
                         .piece = 24,
                         .per_mille = 10,
                         .fixed = 512 * kib}},
    FileSystem{.name = "vfat",
               .kernel_type = "vfat",
               .program = "mkfs.fat",
               .package = "dosfstools",
               .label = "-n {}",
               .label_limit = 11,
               .uuid = "-i {}",
               .uuid_form = UuidForm::serial,
               .minimum = 256 * kib,
               .space = {.fixed = 16 * kib, .fat = true}},
    FileSystem{.name = "exfat",
               .kernel_type = "exfat",
               .program = "mkfs.exfat",
               .package = "exfatprogs",
               .label = "-L {}",
               .label_limit = 11,
               .minimum = 4 * mib,
               .space = {.name = 32, .fixed = 128 * kib, .fat = true}},
    FileSystem{.name = "ntfs",
               .kernel_type = "ntfs3",
               .program = "mkfs.ntfs",
               .package = "ntfs-3g",
               .arguments = "-q -F -Q",
               .label = "-L {}",
               .label_limit = 128,
               .minimum = 8 * mib,
               .space = {.file = 1100,
                         .name = 200,
                         .name_byte = 4,
                         .piece = 16,
                         .per_mille = 10,
                         .fixed = 2 * mib}},
    FileSystem{.name = "udf",
               .kernel_type = "udf",
               .program = "mkfs.udf",
               .package = "udftools",
               .arguments = "--media-type=hd --blocksize=512",
               .label = "--label={}",
               .label_limit = 126,
               .uuid = "--uuid={}",
               .uuid_form = UuidForm::hex16,
               .minimum = 2 * mib,
               .space = {.file = 512,
                         .name = 64,
                         .name_byte = 3,
                         .piece = 32,
                         .per_mille = 5,
                         .fixed = 256 * kib}},
    FileSystem{.name = "squashfs",
               .kernel_type = "squashfs",
               .filling = Filling::squashfs,
               .program = "mksquashfs",
               .package = "squashfs-tools",
               .reproducible = true},
    FileSystem{.name = "erofs",
               .kernel_type = "erofs",
               .filling = Filling::erofs,
               .program = "mkfs.erofs",
               .package = "erofs-utils",

               .uuid = "-U{}",
               .uuid_form = UuidForm::uuid,
               .reproducible = true},
    FileSystem{.name = "swap",
               .filling = Filling::nothing,
               .program = "mkswap",
               .package = "util-linux",
               .label = "-L {}",
               .label_limit = 15,
               .uuid = "-U {}",
               .uuid_form = UuidForm::uuid,
               .reproducible = true},
    FileSystem{.name = "none", .filling = Filling::nothing, .reproducible = true},
};

bool is_hexadecimal(std::string_view text, size_t digits)
{
    return text.size() == digits &&
           text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

}  // namespace

const FileSystem& find_file_system(std::string_view name)
{
    const auto found = std::find_if(table.begin(), table.end(),
                                    [name](const FileSystem& row) { return row.name == name; });
    if (found == table.end())
        throw ToolError(ExitCode::usage,
                        "--fs " + escaped(name) + ": is none of " + file_system_names());
    return *found;
}

std::string file_system_names()
{
    std::string names;
    for (const FileSystem& row : table)
        names.append(names.empty() ? "" : ", ").append(row.name);
    return names;
}

void check_volume_uuid(const FileSystem& type, const std::string& uuid, const std::string& where)
{
    uuid_t parsed;
    const char* form = nullptr;
    switch (type.uuid_form) {
    case UuidForm::none:
        throw ToolError(ExitCode::usage, where + "uuid: " + std::string(type.program) +
                                             " takes none for " + std::string(type.name));
    case UuidForm::uuid:
        form = uuid_parse(uuid.c_str(), parsed) == 0 ? nullptr : "no UUID";
        break;
    case UuidForm::serial:
        form = is_hexadecimal(uuid, 8) ? nullptr : "not of 8 hexadecimal digits";
        break;
    case UuidForm::hex16:
        form = is_hexadecimal(uuid, 16) ? nullptr : "not of 16 hexadecimal digits";
        break;
    }
    if (form != nullptr)
        throw ToolError(ExitCode::usage, where + "uuid " + escaped(uuid) + ": is " + form);
}

}  // namespace tools::mkimage
