// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/mount_state.hpp"

#include <array>
#include <cstddef>

#include <unistd.h>

namespace tools::lkl_tool {

namespace {

// The fields of a superblock; what cannot be read is zero.
class Superblock {
public:
    Superblock(int image, uint64_t offset) : image_(image), offset_(offset) {}

    uint64_t little(uint64_t at, size_t size) const
    {
        const auto bytes = read(at);
        uint64_t value = 0;
        for (size_t i = size; i-- > 0;)
            value = value << 8 | bytes[i];
        return value;
    }
    uint64_t big(uint64_t at, size_t size) const
    {
        const auto bytes = read(at);
        uint64_t value = 0;
        for (size_t i = 0; i < size; i++)
            value = value << 8 | bytes[i];
        return value;
    }

private:
    std::array<uint8_t, 4> read(uint64_t at) const
    {
        std::array<uint8_t, 4> bytes{};
        (void)!pread(image_, bytes.data(), bytes.size(), static_cast<off_t>(offset_ + at));
        return bytes;
    }

    int image_;
    uint64_t offset_;
};

constexpr uint64_t first = 1024;  // where many superblocks are

std::string state(bool unmounted, bool errors)
{
    if (errors)
        return "has errors";
    return unmounted ? "clean" : "not cleanly unmounted";
}

// A word of which bit 0 is set by an unmount, and bit 1 by an error (include/linux/ext2_fs.h,
// minix_fs.h).
std::string valid_and_error(uint64_t word)
{
    return state((word & 1) != 0, (word & 2) != 0);
}

std::string state_of_minix(const Superblock& superblock)
{
    switch (superblock.little(first + 16, 2)) {
    case 0x137f:
    case 0x138f:
    case 0x2468:
    case 0x2478:
        return valid_and_error(superblock.little(first + 18, 2));
    default:
        return "clean";  // version 3 has no such word
    }
}

// Apple's Technical Note TN1150 and Inside Macintosh: Files: bit 8 is set by an unmount, bit 11
// by what was found wrong.
std::string state_of_hfs(uint64_t attributes)
{
    return state((attributes & 0x100) != 0, (attributes & 0x800) != 0);
}

std::string state_of_hfsplus(const Superblock& superblock)
{
    constexpr uint64_t plus = 0x482b, sensitive = 0x4858;  // "H+", "HX"
    const uint64_t signature = superblock.big(first, 2);
    // Else it is inside of an HFS, whose own word says nothing of it.
    if (signature != plus && signature != sensitive)
        return "clean";
    return state_of_hfs(superblock.big(first + 4, 4));
}

// Microsoft's FAT: BS_Reserved1, behind the fields of FAT32 where that is what it is.
std::string state_of_fat(const Superblock& superblock)
{
    const bool fat32 = superblock.little(22, 2) == 0;
    const uint64_t word = superblock.little(fat32 ? 65 : 37, 1);
    return state((word & 1) == 0, (word & 2) != 0);
}

}  // namespace

std::string superblock_state(int image, uint64_t offset, const std::string& type)
{
    const Superblock superblock(image, offset);
    if (type == "ext2" || type == "ext3" || type == "ext4")
        return valid_and_error(superblock.little(first + 58, 2));
    if (type == "vfat" || type == "msdos")
        return state_of_fat(superblock);
    if (type == "exfat") {  // its VolumeFlags
        const uint64_t flags = superblock.little(106, 2);
        return state((flags & 2) == 0, (flags & 4) != 0);
    }
    if (type == "jfs")  // FM_CLEAN
        return state(superblock.little(0x8000 + 40, 4) == 0, false);
    if (type == "minix")
        return state_of_minix(superblock);
    if (type == "hfsplus")
        return state_of_hfsplus(superblock);
    if (type == "hfs")
        return state_of_hfs(superblock.big(first + 10, 2));
    return "clean";
}

}  // namespace tools::lkl_tool
