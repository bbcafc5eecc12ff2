// SPDX-License-Identifier: GPL-2.0-only
// What image is to be made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lkl/mkimage/size_request.hpp"

namespace tools::mkimage {

// One file system.
struct Volume {
    std::string type = "ext4";  // of find_file_system()
    SizeRequest size;
    std::string label;
    std::string uuid;                       // empty: one is made
    std::vector<std::string> mkfs_options;  // arguments for the mkfs program
    std::string source;                     // directory, archive, or "-"; empty: no contents
};

struct PartitionRequest {
    Volume volume;
    std::string name;            // GPT
    std::string partition_type;  // name, GUID or hexadecimal code; empty: by the file system
    std::string uuid;            // of the partition (GPT); empty: one is made
    bool bootable = false;
};

enum class Table { none, gpt, mbr };

struct ImageSpecification {
    Table table = Table::none;
    SizeRequest size;  // of the whole image, with a table: automatic or fixed
    std::string uuid;  // of the table; empty: one is made
    std::vector<PartitionRequest> partitions;  // one, if there is no table
};

// One property of a partition, of the command line or of a layout file: "fs", "size",
// "label", "uuid", "mkfs-option", "source", "name", "type", "partuuid" or "bootable"
// ("yes", "no" or empty, which is yes). Throws ToolError, ExitCode::usage; where: for
// messages.
void set_property(PartitionRequest& partition, std::string_view name, const std::string& value,
                  const std::string& where);

// "fs=vfat,size=64M,bootable"; "\," is a comma in a value.
PartitionRequest parse_partition(std::string_view text);

// "gpt" or "mbr".
Table parse_table(std::string_view text, const std::string& where);

// Throws ToolError, ExitCode::usage, for what cannot be.
void check(const ImageSpecification& image);

}  // namespace tools::mkimage
