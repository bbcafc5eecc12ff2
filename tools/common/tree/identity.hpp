// SPDX-License-Identifier: GPL-2.0-only
// What makes a file the same file: hard links share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <lkl/file.hpp>

namespace tools {

// Btrfs subvolumes have devices of their own, bcachefs says the subvolume.
struct Identity {
    uint64_t inode = 0;
    uint64_t device = 0;
    uint64_t subvolume = 0;
    bool operator==(const Identity&) const = default;
};

// What to ask stat() for.
#ifdef LKL_STATX_SUBVOL
constexpr unsigned identity_mask = lkl::File::basic_stats | LKL_STATX_SUBVOL;
#else
constexpr unsigned identity_mask = lkl::File::basic_stats;
#endif

inline Identity identity_of(const lkl::Stat& stat)
{
    Identity id;
    id.inode = stat.stx_ino;
    id.device = uint64_t{stat.stx_dev_major} << 32 | stat.stx_dev_minor;
#ifdef LKL_STATX_SUBVOL
    if ((stat.stx_mask & LKL_STATX_SUBVOL) != 0)
        id.subvolume = stat.stx_subvol;
#endif
    return id;
}

// Of an open file of the host; none if it cannot be told.
std::optional<Identity> host_identity(int descriptor);

struct HashIdentity {
    size_t operator()(const Identity& id) const
    {
        // Inode numbers differ in their low bits; the others hardly differ at all.
        constexpr uint64_t odd = 0x9e3779b97f4a7c15;
        return (id.inode ^ (id.device << 40) ^ (id.subvolume << 20)) * odd >> 8;
    }
};

}  // namespace tools
