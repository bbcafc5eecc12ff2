// SPDX-License-Identifier: GPL-2.0-only
// Whether two files of the host, whatever their names, hold the same bytes.
#pragma once

#include <string>

#include <sys/stat.h>

namespace tools {

// Is one of them, written to, a change of the other? By any name and any link; block
// devices by their numbers, with their partitions, and loop devices with their files.
// What lies deeper (device mapper, RAID) is not seen. The paths are those that were given
// to stat(2).
bool same_storage(const std::string& path, const struct stat& status, const std::string& other_path,
                  const struct stat& other_status);

}  // namespace tools
