// SPDX-License-Identifier: GPL-2.0-only
#include "listing.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>

#include "json.hpp"

namespace image_tree {

namespace {

constexpr uint16_t type_mask = 0170000;
constexpr uint16_t type_directory = 0040000;
constexpr uint16_t type_regular = 0100000;
constexpr uint16_t type_symbolic_link = 0120000;

// zlib's CRC-32, which Python has too.
class Crc32 {
public:
    Crc32()
    {
        for (uint32_t i = 0; i < table_.size(); ++i) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit)
                value = value >> 1 ^ ((value & 1) != 0 ? 0xedb88320 : 0);
            table_[i] = value;
        }
    }
    uint32_t update(uint32_t crc, std::span<const std::byte> data) const
    {
        crc = ~crc;
        for (const std::byte byte : data)
            crc = crc >> 8 ^ table_[(crc ^ static_cast<uint32_t>(byte)) & 0xff];
        return ~crc;
    }

private:
    std::array<uint32_t, 256> table_;
};

class Lister {
public:
    Lister(lkl::Kernel& kernel, const std::function<void(const std::string&)>& line)
        : kernel_(kernel), line_(line), block_(block_size)
    {
    }
    void walk(lkl::File file, const std::string& path);

private:
    // Blocks of this size that hold nothing but zeroes count as holes.
    static constexpr size_t block_size = 65536;

    lkl::Result<void> entry(const lkl::File& directory, const char* name, const std::string& path);
    void fail(const std::string& path, const lkl::Error& error);
    lkl::Result<JsonLine> attributes(const char* name);
    lkl::Result<uint32_t> checksum(const lkl::File& file);

    lkl::Kernel& kernel_;
    const std::function<void(const std::string&)>& line_;
    Crc32 crc_;
    std::vector<std::byte> block_;  // also the largest list of attributes and value
};

// Of a name in the working directory.
lkl::Result<JsonLine> Lister::attributes(const char* name)
{
    JsonLine result;
    auto* const text = reinterpret_cast<char*>(block_.data());
    const auto length = lkl::list_attributes(kernel_, name, std::span(text, block_.size()));
    if (!length) {
        if (length.error().code == LKL_EOPNOTSUPP)
            return result;
        return length.error();
    }
    const std::string names(text, *length);
    for (size_t at = 0; at < names.size();) {
        const std::string attribute = names.c_str() + at;
        at += attribute.size() + 1;
        const auto size = lkl::get_attribute(kernel_, name, attribute.c_str(), block_);
        if (!size) {
            // Some file systems list what this file does not have.
            if (size.error().code == LKL_ENODATA || size.error().code == LKL_EOPNOTSUPP)
                continue;
            return size.error();
        }
        result.add(attribute.c_str(), std::string_view(text, *size));
    }
    return result;
}

// The data and where it is, holes left out.
lkl::Result<uint32_t> Lister::checksum(const lkl::File& file)
{
    uint32_t crc = 0;
    uint64_t offset = 0;
    for (;;) {
        const auto data = file.seek(static_cast<int64_t>(offset), LKL_SEEK_DATA);
        if (!data) {
            if (data.error().code == LKL_ENXIO)
                return crc;
            return data.error();
        }
        offset = *data / block_size * block_size;
        size_t filled = 0;
        while (filled < block_size) {
            const auto length = file.read_at(std::span(block_).subspan(filled), offset + filled);
            if (!length)
                return length.error();
            if (*length == 0)
                break;
            filled += *length;
        }
        if (filled == 0)
            return crc;
        std::fill(block_.begin() + static_cast<ptrdiff_t>(filled), block_.end(), std::byte{0});
        // All are as the one before, and the first is zero: memcmp() is fast, which counts
        // where a file system knows no holes.
        if (block_[0] != std::byte{0} ||
            std::memcmp(block_.data(), block_.data() + 1, block_size - 1) != 0) {
            std::array<std::byte, sizeof offset> where;
            for (size_t i = 0; i < where.size(); ++i)
                where[i] = static_cast<std::byte>(offset >> 8 * i);
            crc = crc_.update(crc_.update(crc, where), block_);
        }
        offset += block_size;
    }
}

lkl::Result<void> Lister::entry(const lkl::File& directory, const char* name,
                                const std::string& path)
{
    const auto stat = directory.stat_at(name);
    if (!stat)
        return stat.error();
    JsonLine line;
    line.add("path", path)
        .add("mode", stat->stx_mode)
        .add("uid", stat->stx_uid)
        .add("gid", stat->stx_gid)
        .add("links", stat->stx_nlink)
        .add("inode", static_cast<int64_t>(stat->stx_ino))
        .add("mtime", stat->stx_mtime.tv_sec)
        .add("nanoseconds", stat->stx_mtime.tv_nsec)
        .add("major", stat->stx_rdev_major)
        .add("minor", stat->stx_rdev_minor)
        .add("size", static_cast<int64_t>(stat->stx_size))
        .add("stored", static_cast<int64_t>(stat->stx_blocks) * 512);

    if (auto moved = directory.make_working_directory(); !moved)
        return moved;
    const auto extended = attributes(name);
    if (!extended)
        return extended.error();
    line.add("attributes", *extended);

    switch (stat->stx_mode & type_mask) {
    case type_regular: {
        const auto file = directory.open_at(name, LKL_O_RDONLY | LKL_O_NOFOLLOW);
        if (!file)
            return file.error();
        const auto crc = checksum(*file);
        if (!crc)
            return crc.error();
        line.add("data", *crc);
        break;
    }
    case type_symbolic_link: {
        const auto target = directory.read_link_at(name);
        if (!target)
            return target.error();
        line.add("target", std::string_view(*target));
        break;
    }
    default:
        break;
    }
    line_(line.text());
    if ((stat->stx_mode & type_mask) != type_directory || path == ".")
        return {};
    auto below = directory.open_at(name, LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_NOFOLLOW);
    if (!below)
        return below.error();
    walk(std::move(below).value(), path + '/');
    return {};
}

void Lister::walk(lkl::File file, const std::string& path)
{
    // Names first: the reader's buffer would stay allocated on each level.
    std::vector<std::string> names;
    lkl::Directory directory(std::move(file));
    for (;;) {
        const auto entry = directory.next();
        if (!entry)
            fail(path, entry.error());
        if (!entry || *entry == nullptr)
            break;
        names.emplace_back((*entry)->name);
    }
    const lkl::File here = directory.release();
    if (path.empty())
        names.emplace_back(".");
    for (const std::string& name : names) {
        if (const auto listed = entry(here, name.c_str(), path + name); !listed)
            fail(path + name, listed.error());
    }
}

void Lister::fail(const std::string& path, const lkl::Error& error)
{
    line_(JsonLine().add("path", path).add("error", std::string_view(error.what)).text());
}

}  // namespace

void list_tree(lkl::Kernel& kernel, lkl::File directory,
               const std::function<void(const std::string&)>& line)
{
    Lister(kernel, line).walk(std::move(directory), {});
}

}  // namespace image_tree
