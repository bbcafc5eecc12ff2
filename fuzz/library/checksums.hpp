// SPDX-License-Identifier: GPL-2.0-only
// Checksums of metadata. A file system that has them refuses nearly every change of a
// block before it looks at it, unless the checksum is changed as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lkl::fuzz {

// A block with its checksum inside.
struct ChecksummedBlock {
    enum class Kind : uint8_t {
        ext4,   // CRC-32C of what is before it, not inverted
        xfs,    // CRC-32C of all, its own bytes taken for 0, inverted
        btrfs,  // CRC-32C of what follows the 32 bytes for it, inverted
        f2fs,   // CRC-32 of what is before it, of a seed of its own
    };

    Kind kind;
    uint64_t offset;    // in the image
    uint32_t length;    // bytes
    uint32_t checksum;  // where it is in the block
};

// All blocks of an image whose checksums are right now: superblocks of ext4, XFS and
// Btrfs, headers of allocation groups and inodes of XFS, nodes of Btrfs, checkpoints and
// other blocks of F2FS that have one.
std::vector<ChecksummedBlock> find_checksums(std::span<const std::byte> image);

// Makes the checksum right.
void repair(const ChecksummedBlock& block, std::span<std::byte> image);

}  // namespace lkl::fuzz
