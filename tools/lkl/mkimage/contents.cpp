// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/contents.hpp"

#include <algorithm>
#include <vector>

namespace tools::mkimage {

namespace {

constexpr uint64_t directory_block = 4096;              // bytes, of ext4
constexpr uint64_t fat_slot = 32;                       // bytes
constexpr size_t fat_name_part = 13;                    // UTF-16 units a slot of a long name
constexpr size_t link_in_inode = 60;                    // bytes, ext4
constexpr uint64_t attributes_in_inode = 80;            // bytes, ext4 with 256-byte inodes
constexpr uint64_t attribute_header = 20;               // bytes
constexpr uint64_t direct_bytes = uint64_t{12} * 4096;  // ext2
constexpr uint64_t region = 4 << 20;  // bytes that an indirect block of ext2 lists

uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

}  // namespace

void BlockSums::add(uint64_t bytes)
{
    for (unsigned i = smallest; i <= largest; i++)
        sums_[i - smallest] += round_up(bytes, uint64_t{1} << i);
}

uint64_t BlockSums::of(uint64_t block_size) const
{
    unsigned shift = smallest;
    while (shift < largest && (uint64_t{1} << shift) < block_size)
        shift++;
    return sums_[shift - smallest];
}

void ContentsSink::begin(const Entry& entry)
{
    if (entry.path.empty()) {
        set_top(entry);
        add_attributes(entry);
        return;
    }
    add_name(entry.path);
    if (entry.type == EntryType::hard_link && entry.size == 0)
        return;
    contents_.files++;
    add_attributes(entry);
    if (entry.type == EntryType::directory)
        directories_.try_emplace(entry.path);
    else if (entry.type == EntryType::symbolic_link)
        contents_.long_links += entry.link.size() >= link_in_inode ? 1 : 0;
    else
        add_data(entry);
    count(entry.type);
}

void ContentsSink::count(EntryType type)
{
    switch (type) {
    case EntryType::directory:
        contents_.directory_count++;
        break;
    case EntryType::symbolic_link:
        contents_.symlinks++;
        break;
    case EntryType::regular:
    case EntryType::hard_link:
        break;
    default:
        contents_.others++;
        break;
    }
}

void ContentsSink::set_top(const Entry& entry)
{
    contents_.top = {true,      !entry.attributes.empty(), entry.mode, entry.uid,
                     entry.gid, entry.mtime.seconds};
}

void ContentsSink::add_name(const std::string& path)
{
    const size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? std::string() : path.substr(0, slash);
    const size_t length = slash == std::string::npos ? path.size() : path.size() - slash - 1;
    Directory& directory = directories_[parent];
    directory.linear += round_up(8 + length, 4);
    directory.slots += 1 + (length + fat_name_part - 1) / fat_name_part;
    contents_.names++;
    contents_.name_bytes += length;
}

void ContentsSink::add_data(const Entry& entry)
{
    const std::vector<Extent> whole{Extent{0, entry.size}};
    const std::vector<Extent>& extents = entry.sparse ? entry.extents : whole;
    uint64_t next_region = 0;
    for (const Extent& extent : extents) {
        if (extent.length == 0)
            continue;
        // A piece that does not begin with a block touches one more.
        contents_.data.add(extent.length + extent.offset % directory_block);
        contents_.bytes += extent.length;
        const uint64_t first = std::max(extent.offset / region, next_region);
        next_region = std::max((extent.offset + extent.length - 1) / region + 1, first);
        contents_.regions += entry.size > direct_bytes ? next_region - first : 0;
    }
    contents_.pieces += extents.empty() ? 0 : extents.size() - 1;
    contents_.long_files += entry.size > direct_bytes ? 1 : 0;
}

void ContentsSink::add_attributes(const Entry& entry)
{
    uint64_t bytes = 0;
    for (const Attribute& attribute : entry.attributes)
        bytes += attribute_header + attribute.name.size() + attribute.value.size();
    contents_.attribute_bytes += bytes;
    contents_.attributed += bytes > attributes_in_inode ? 1 : 0;
}

Contents ContentsSink::finish()
{
    contents_.files++;
    contents_.directory_count++;
    directories_.try_emplace(std::string());
    for (const auto& [path, directory] : directories_) {
        // Indexed directories split full blocks: most are three quarters full afterwards,
        // some less.
        constexpr uint64_t dots = 24;
        const uint64_t linear = directory.linear + dots;
        contents_.directories.add(
            linear <= directory_block ? linear : linear + linear / 2 + directory_block);
        contents_.fat_directories.add((directory.slots + 2) * fat_slot);
    }
    contents_.top_slots = directories_[{}].slots;
    return contents_;
}

}  // namespace tools::mkimage
