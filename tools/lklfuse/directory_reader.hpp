// SPDX-License-Identifier: GPL-2.0-only
// An open directory of the kernel inside, read from any place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "lklfuse/inner.hpp"

namespace tools::lklfuse {

struct DirectoryName {
    uint64_t inode = 0;
    int64_t next = 0;       // the place behind it
    uint32_t type = 0;      // S_IF*, 0: not known
    const char* name = "";  // valid until the next call
};

// One thread at a time: the host's kernel holds the lock of the open directory.
class DirectoryReader {
public:
    explicit DirectoryReader(InnerFile directory) : directory_(std::move(directory)) {}

    long descriptor() const { return directory_.get(); }

    // The entry at this place: 0, or what an entry before named as next. Null and a
    // result of 0: the end; null and a negative errno: an error.
    const DirectoryName* at(int64_t place, long& result);

private:
    // Bytes read at a time.
    static constexpr size_t buffer_size = size_t{32} << 10;

    InnerFile directory_;
    int64_t place_ = 0;  // of what is at position_
    size_t position_ = 0;
    size_t filled_ = 0;
    DirectoryName entry_;
    alignas(8) std::array<std::byte, buffer_size> buffer_;
};

}  // namespace tools::lklfuse
