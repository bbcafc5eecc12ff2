// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/hole_finder.hpp"

#include <algorithm>
#include <cstring>

#include <lkl/asm/errno.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/magic.h>

#include "common/tree/host_file.hpp"

namespace tools {

namespace {

bool all_zero(std::span<const std::byte> bytes)
{
    // Each byte equals the one before it, and the first is zero.
    return bytes.empty() || (bytes[0] == std::byte{0} &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

void add_extent(std::vector<Extent>& extents, uint64_t offset, uint64_t length)
{
    if (!extents.empty() && extents.back().offset + extents.back().length == offset)
        extents.back().length += length;
    else
        extents.push_back({offset, length});
}

}  // namespace

template <typename File>
HoleFinder<File>::HoleFinder(const lkl::FileSystemStat& file_system)
{
    if (file_system.f_type == LKL_SQUASHFS_MAGIC && file_system.f_bsize > 0)
        content_block_ = static_cast<uint64_t>(file_system.f_bsize);
}

template <typename File>
lkl::Result<bool> HoleFinder<File>::find(const File& file, const lkl::Stat& stat,
                                         std::vector<Extent>& extents)
{
    extents.clear();
    // A file with holes occupies less than its size. So do compressed ones,
    // of which the search then finds out.
    constexpr uint64_t unit = 512;
    if (stat.stx_blocks >= (stat.stx_size + unit - 1) / unit)
        return false;
    auto found = content_block_ != 0 ? find_by_content(file, stat.stx_size, extents)
                                     : find_by_seek(file, stat.stx_size, extents);
    if (!found)
        return std::move(found).error();
    return !(extents.size() == 1 && extents[0].length == stat.stx_size);
}

template <typename File>
lkl::Result<void> HoleFinder<File>::find_by_seek(const File& file, uint64_t size,
                                                 std::vector<Extent>& extents) const
{
    for (uint64_t offset = 0; offset < size;) {
        const auto data = file.seek(static_cast<int64_t>(offset), LKL_SEEK_DATA);
        if (!data) {
            if (data.error().code == LKL_ENXIO)
                break;  // nothing but a hole from here on
            return data.error();
        }
        const auto hole = file.seek(static_cast<int64_t>(*data), LKL_SEEK_HOLE);
        if (!hole)
            return hole.error();
        const uint64_t end = std::min(*hole, size);
        if (*data >= size || end <= *data)
            break;
        add_extent(extents, *data, end - *data);
        offset = end;
    }
    auto rewound = file.seek(0, LKL_SEEK_SET);
    if (!rewound)
        return std::move(rewound).error();
    return {};
}

template <typename File>
lkl::Result<void> HoleFinder<File>::find_by_content(const File& file, uint64_t size,
                                                    std::vector<Extent>& extents)
{
    buffer_.resize(content_block_);
    for (uint64_t offset = 0; offset < size;) {
        const size_t wanted = static_cast<size_t>(std::min(content_block_, size - offset));
        size_t filled = 0;
        while (filled < wanted) {
            const auto count =
                file.read_at(std::span(buffer_).subspan(filled, wanted - filled), offset + filled);
            if (!count)
                return count.error();
            if (*count == 0)
                break;  // who reads the data will say that the file ends early
            filled += *count;
        }
        if (filled < wanted || !all_zero(std::span(buffer_).first(wanted)))
            add_extent(extents, offset, wanted);
        offset += wanted;
    }
    return {};
}

template class HoleFinder<lkl::File>;
template class HoleFinder<HostFile>;

}  // namespace tools
