// SPDX-License-Identifier: GPL-2.0-only
// How full a file system is, as df(1) counts it.
#pragma once

#include <cstdint>

#include <lkl/file.hpp>

namespace tools::lkl_tool {

struct Usage {
    uint64_t size;
    uint64_t used;
    uint64_t available;  // to users other than root: may be less than what is free
};

// In bytes.
inline Usage space_usage(const lkl::FileSystemStat& stat)
{
    const auto number = [](auto value) { return static_cast<uint64_t>(value); };
    const uint64_t unit = number(stat.f_frsize != 0 ? stat.f_frsize : stat.f_bsize);
    return {number(stat.f_blocks) * unit, number(stat.f_blocks - stat.f_bfree) * unit,
            number(stat.f_bavail) * unit};
}

// In files. All 0: the file system makes inodes as it needs them.
inline Usage inode_usage(const lkl::FileSystemStat& stat)
{
    const auto number = [](auto value) { return static_cast<uint64_t>(value); };
    return {number(stat.f_files), number(stat.f_files - stat.f_ffree), number(stat.f_ffree)};
}

}  // namespace tools::lkl_tool
