// SPDX-License-Identifier: GPL-2.0-only
// What was made, as JSON; lkl-mkimage(1) has the format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json_object.hpp"
#include "lkl/mkimage/partition_table.hpp"
#include "lkl/mkimage/volume_maker.hpp"

namespace tools::mkimage {

struct Summary {
    std::string image;
    uint64_t size = 0;  // bytes
    Table table = Table::none;
    std::string uuid;  // of the table
    // Of the same length; without a table one each, of which the placed one has no place
    // of its own.
    std::vector<PlacedPartition> partitions;
    std::vector<MadeVolume> volumes;
};

JsonObject to_json(const Summary& summary);

}  // namespace tools::mkimage
