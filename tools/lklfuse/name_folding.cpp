// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/name_folding.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include <lkl/linux/ioctl.h>

namespace tools::lklfuse {

namespace {

// struct xfs_fsop_geom_v1 of fs/xfs/libxfs/xfs_fs.h, which is no exported header.
struct XfsGeometry {
    std::array<uint32_t, 8> sizes;
    std::array<uint64_t, 4> places;
    std::array<uint8_t, 16> uuid;
    std::array<uint32_t, 2> stripes;
    int32_t version;
    uint32_t flags;
    std::array<uint32_t, 3> more_sizes;
};

constexpr unsigned long get_xfs_geometry = _LKL_IOR('X', 100, XfsGeometry);
constexpr uint32_t xfs_ascii_ci = 1u << 12;  // XFS_FSOP_GEOM_FLAGS_DIRV2CI

bool is_xfs_ascii_ci(Inner& inner, long root)
{
    XfsGeometry geometry{};
    return inner.call(__lkl__NR_ioctl, root, get_xfs_geometry, &geometry) == 0 &&
           (geometry.flags & xfs_ascii_ci) != 0;
}

}  // namespace

bool all_names_fold(Inner& inner, long root, const std::string& type, const std::string& options)
{
    // JFS does when it was made for OS/2, HFS+ unless it is HFSX.
    constexpr std::array<std::string_view, 9> types{"vfat", "msdos", "exfat", "hfs", "hfsplus",
                                                    "affs", "hpfs",  "adfs",  "jfs"};
    if (type == "ntfs3")
        return (',' + options + ',').find(",nocase,") != std::string::npos;
    if (type == "xfs")
        return is_xfs_ascii_ci(inner, root);
    return std::find(types.begin(), types.end(), type) != types.end();
}

}  // namespace tools::lklfuse
