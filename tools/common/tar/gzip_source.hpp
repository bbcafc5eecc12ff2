// SPDX-License-Identifier: GPL-2.0-only
// Unpacks gzip, and holds the data against checksum and length, which libarchive's own
// filter does not look at.
#pragma once

#include <memory>

#include <zlib.h>

#include "common/tar/byte_source.hpp"

namespace tools {

// All members that follow each other. Zeroes behind the last one, as tapes have them, are
// ignored; anything else there is an error, as it is for GNU tar.
class GzipSource final : public ByteSource {
public:
    // Whether the next bytes are a gzip member.
    static bool is_next(ByteSource& source);

    // Throws std::bad_alloc.
    explicit GzipSource(std::unique_ptr<ByteSource> packed);
    ~GzipSource() override;

private:
    size_t produce(std::span<std::byte> room) override;
    bool next_member();

    const std::unique_ptr<ByteSource> packed_;
    z_stream stream_{};
    bool in_member_ = true;
};

}  // namespace tools
