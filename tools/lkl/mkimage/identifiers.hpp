// SPDX-License-Identifier: GPL-2.0-only
// UUIDs that nobody has given: random ones, or for images that must be the same each time
// such as follow from what is known beforehand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lkl/mkimage/file_system_table.hpp"

namespace tools::mkimage {

class Identifiers {
public:
    // epoch: SOURCE_DATE_EPOCH, where there is one.
    explicit Identifiers(std::optional<int64_t> epoch) : epoch_(epoch) {}

    // purpose: different for each in an image.
    std::string uuid(std::string_view purpose) const;
    // In the form that the type has; empty: none.
    std::string of_volume(const FileSystem& type, std::string_view purpose) const;
    // 0x and eight digits: what an MBR has.
    std::string of_mbr() const;

private:
    std::string digits(std::string_view purpose, size_t count) const;

    const std::optional<int64_t> epoch_;
};

}  // namespace tools::mkimage
