// SPDX-License-Identifier: GPL-2.0-only
#include "checksums.hpp"

#include <array>
#include <cstring>

namespace lkl::fuzz {

namespace {

using Kind = ChecksummedBlock::Kind;
using Bytes = std::span<const std::byte>;

// Tables of the two polynomials, reflected.
template <uint32_t polynomial>
uint32_t crc(uint32_t value, Bytes bytes)
{
    static const auto table = [] {
        std::array<uint32_t, 256> entries{};
        for (uint32_t i = 0; i < 256; ++i) {
            uint32_t entry = i;
            for (int bit = 0; bit < 8; ++bit)
                entry = entry >> 1 ^ (entry & 1 ? polynomial : 0);
            entries[i] = entry;
        }
        return entries;
    }();
    for (const std::byte byte : bytes)
        value = value >> 8 ^ table[(value ^ std::to_integer<uint32_t>(byte)) & 0xff];
    return value;
}

uint32_t crc32c(uint32_t value, Bytes bytes)
{
    return crc<0x82f63b78>(value, bytes);
}

constexpr uint32_t f2fs_magic = 0xf2f52010;

template <typename T>
T read(Bytes image, uint64_t offset)
{
    T value{};
    if (offset + sizeof value <= image.size())
        std::memcpy(&value, image.data() + offset, sizeof value);
    return value;
}

uint32_t compute(const ChecksummedBlock& block, Bytes image)
{
    const Bytes bytes = image.subspan(block.offset, block.length);
    switch (block.kind) {
    case Kind::ext4:
        return crc32c(~0u, bytes.first(block.checksum));
    case Kind::xfs: {
        constexpr std::array<std::byte, 4> zero{};
        const uint32_t value = crc32c(crc32c(~0u, bytes.first(block.checksum)), zero);
        return ~crc32c(value, bytes.subspan(block.checksum + 4));
    }
    case Kind::btrfs:
        return ~crc32c(~0u, bytes.subspan(32));
    case Kind::f2fs:
        return crc<0xedb88320>(f2fs_magic, bytes.first(block.checksum));
    }
    return 0;
}

// Of one image, by what its superblock says.
class Finder {
public:
    explicit Finder(Bytes image) : image_(image) {}

    std::vector<ChecksummedBlock> find()
    {
        add({Kind::ext4, 1024, 1024, 0x3fc});
        if (read<uint32_t>(image_, 0) == big_endian('X', 'F', 'S', 'B'))
            find_xfs();
        if (std::memcmp(image_.data() + btrfs_super + 0x40, "_BHRfS_M", 8) == 0)
            find_btrfs();
        if (read<uint32_t>(image_, 1024) == f2fs_magic)
            find_f2fs();
        return std::move(found_);
    }
    bool large_enough() const { return image_.size() >= btrfs_super + 4096; }

private:
    static constexpr uint64_t btrfs_super = 64 << 10;

    static constexpr uint32_t big_endian(char a, char b, char c, char d)
    {
        return static_cast<uint32_t>(a) | static_cast<uint32_t>(b) << 8 |
               static_cast<uint32_t>(c) << 16 | static_cast<uint32_t>(d) << 24;
    }

    void add(const ChecksummedBlock& block)
    {
        if (block.offset + block.length > image_.size())
            return;
        if (read<uint32_t>(image_, block.offset + block.checksum) == compute(block, image_))
            found_.push_back(block);
    }

    // Sectors with a magic number: xfs_format.h, offsets of the fields named crc.
    void find_xfs()
    {
        for (uint64_t at = 0; at + 512 <= image_.size(); at += 512) {
            const auto magic = read<uint32_t>(image_, at);
            if (magic == big_endian('X', 'F', 'S', 'B'))
                add({Kind::xfs, at, 512, 224});
            else if (magic == big_endian('X', 'A', 'G', 'F'))
                add({Kind::xfs, at, 512, 216});
            else if (magic == big_endian('X', 'A', 'G', 'I'))
                add({Kind::xfs, at, 512, 312});
            else if ((magic & 0xffff) == ('I' | 'N' << 8))
                add({Kind::xfs, at, 512, 100});
        }
    }

    void find_btrfs()
    {
        add({Kind::btrfs, btrfs_super, 4096, 0});
        const auto node_size = read<uint32_t>(image_, btrfs_super + 0x94);
        if (node_size < 4096 || node_size > 65536)
            return;
        const std::byte* const fsid = image_.data() + btrfs_super + 0x20;
        for (uint64_t at = 0; at + node_size <= image_.size(); at += 4096) {
            if (at != btrfs_super && std::memcmp(image_.data() + at + 0x20, fsid, 16) == 0)
                add({Kind::btrfs, at, node_size, 0});
        }
    }

    void find_f2fs()
    {
        for (uint64_t at = 4096; at + 4096 <= image_.size(); at += 4096) {
            if (read<uint32_t>(image_, at + 4092) != 0)
                add({Kind::f2fs, at, 4096, 4092});
        }
    }

    Bytes image_;
    std::vector<ChecksummedBlock> found_;
};

}  // namespace

std::vector<ChecksummedBlock> find_checksums(std::span<const std::byte> image)
{
    Finder finder(image);
    if (!finder.large_enough())
        return {};
    return finder.find();
}

void repair(const ChecksummedBlock& block, std::span<std::byte> image)
{
    const uint32_t value = compute(block, image);
    std::memcpy(image.data() + block.offset + block.checksum, &value, sizeof value);
}

}  // namespace lkl::fuzz
