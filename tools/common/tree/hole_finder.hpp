// SPDX-License-Identifier: GPL-2.0-only
// Where a file has holes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/result.hpp>

#include "common/tree/entry.hpp"

namespace tools {

// File is lkl::File or HostFile.
template <typename File>
class HoleFinder {
public:
    // file_system: of the mount whose files are looked at.
    explicit HoleFinder(const lkl::FileSystemStat& file_system);

    // True if the file has holes; `extents` are its data then.
    lkl::Result<bool> find(const File& file, const lkl::Stat& stat, std::vector<Extent>& extents);

private:
    lkl::Result<void> find_by_seek(const File& file, uint64_t size,
                                   std::vector<Extent>& extents) const;
    lkl::Result<void> find_by_content(const File& file, uint64_t size,
                                      std::vector<Extent>& extents);

    // SquashFS keeps holes as blocks of length 0 but does not tell where: its
    // blocks have to be read. Then their size in bytes, else 0.
    uint64_t content_block_ = 0;
    std::vector<std::byte> buffer_;
};

}  // namespace tools
