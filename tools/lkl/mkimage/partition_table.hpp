// SPDX-License-Identifier: GPL-2.0-only
// The partition table of an image, by libfdisk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lkl/mkimage/specification.hpp"

namespace tools::mkimage {

// Where partitions begin, and what sizes are multiples of.
constexpr uint64_t partition_alignment = 1 << 20;  // bytes

// What the table itself takes at the end of a disk, rounded up.
uint64_t table_tail(Table table);

struct PlacedPartition {
    uint64_t offset = 0;  // bytes
    uint64_t size = 0;    // bytes
    const PartitionRequest* request = nullptr;
    std::string uuid;  // of the partition (GPT)
    std::string type;  // filled in: GUID or code, as the table has it
};

// Throws ToolError, ExitCode::usage, for a type of a partition that is not known; where:
// for messages.
void check_partition_type(Table table, const PartitionRequest& request, const std::string& where);

// Writes the table of a disk that has its size. uuid: of the disk, for an MBR 0x and eight
// digits. Throws ToolError.
void write_partition_table(int descriptor, const std::string& shown, Table table,
                           const std::string& uuid, std::vector<PlacedPartition>& partitions);

}  // namespace tools::mkimage
