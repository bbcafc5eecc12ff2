// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/ext_inode.hpp"

namespace tools::mkimage {

uint32_t extra_time(const Time& time)
{
    constexpr int64_t epoch_seconds = int64_t{1} << 32;  // what 32 bits hold
    const auto low = static_cast<int32_t>(static_cast<uint32_t>(time.seconds));
    const int64_t epoch = (time.seconds - low) / epoch_seconds;
    return static_cast<uint32_t>(epoch & 3) | time.nanoseconds << 2;
}

uint16_t type_bits(EntryType type)
{
    switch (type) {
    case EntryType::directory:
        return LINUX_S_IFDIR;
    case EntryType::symbolic_link:
        return LINUX_S_IFLNK;
    case EntryType::character_device:
        return LINUX_S_IFCHR;
    case EntryType::block_device:
        return LINUX_S_IFBLK;
    case EntryType::fifo:
        return LINUX_S_IFIFO;
    case EntryType::socket:
        return LINUX_S_IFSOCK;
    default:
        return LINUX_S_IFREG;
    }
}

int directory_type(uint16_t mode)
{
    switch (mode & LINUX_S_IFMT) {
    case LINUX_S_IFREG:
        return EXT2_FT_REG_FILE;
    case LINUX_S_IFDIR:
        return EXT2_FT_DIR;
    case LINUX_S_IFLNK:
        return EXT2_FT_SYMLINK;
    case LINUX_S_IFCHR:
        return EXT2_FT_CHRDEV;
    case LINUX_S_IFBLK:
        return EXT2_FT_BLKDEV;
    case LINUX_S_IFIFO:
        return EXT2_FT_FIFO;
    case LINUX_S_IFSOCK:
        return EXT2_FT_SOCK;
    default:
        return EXT2_FT_UNKNOWN;
    }
}

void set_device(ext2_inode& inode, uint32_t major, uint32_t minor)
{
    if (major < 256 && minor < 256)
        inode.i_block[0] = major << 8 | minor;
    else
        inode.i_block[1] = (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

}  // namespace tools::mkimage
