// SPDX-License-Identifier: GPL-2.0-only
// What the types of partitions are called.
#pragma once

#include <string>

namespace tools::lkl_tool {

// "EFI System" for a type of a table ("gpt", "dos") in libblkid's spelling; the type
// itself if it has no name.
std::string partition_type_name(const std::string& table, const std::string& type);

}  // namespace tools::lkl_tool
