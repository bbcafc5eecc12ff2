// SPDX-License-Identifier: GPL-2.0-only
// How inodes and directories of ext file systems spell types, times and devices.
#pragma once

#include <cstdint>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "common/tree/entry.hpp"

namespace tools::mkimage {

// The fields of ext4 beyond 32 bits: two bits of seconds below, thirty of nanoseconds.
// Seconds are signed in the low word.
uint32_t extra_time(const Time& time);

// LINUX_S_IF...
uint16_t type_bits(EntryType type);

// What a directory says of a file with this mode: EXT2_FT_...
int directory_type(uint16_t mode);

// As old_encode_dev() and new_encode_dev() of the kernel.
void set_device(ext2_inode& inode, uint32_t major, uint32_t minor);

}  // namespace tools::mkimage
