// SPDX-License-Identifier: GPL-2.0-only
// The bytes of an archive, unpacked if it is compressed, as libarchive's format
// readers want them; and once more for who wants to see what these have read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/tar/byte_source.hpp"

namespace tools {

// One thread.
class ArchiveInput {
public:
    static constexpr size_t block_size = size_t{1} << 20;  // bytes, of what next() gives
    // The descriptor stays the caller's. Throws ToolError, ExitCode::archive. name: for
    // messages.
    ArchiveInput(int descriptor, const std::string& name);

    // The next block; it stays where it is until the next but one. Null at the end.
    // False: an error, error() says which.
    bool next(const std::byte*& block, size_t& length);
    const std::string& error() const { return source_->error(); }

    // How much of the descriptor has been read, in bytes: before unpacking.
    uint64_t raw_position() const;

    // Keeps what is behind this position until forget().
    void keep(uint64_t position);
    void forget() { keeping_ = false; }
    // Bytes that were given out and are kept; fewer when not all are.
    std::string kept(uint64_t position, size_t length) const;

    // Reads to the end, unless something else comes: is there nothing but zeroes from the
    // position on? What was given out before, and does not stay any more, is not looked at.
    // Nothing is given out behind this.
    bool only_zeroes(uint64_t position);

    // An archive may end before what it is packed in: reads the rest of that, since a
    // checksum stands at its end. False: an error, now or before; error() says which.
    bool read_rest();

private:
    struct Block {
        uint64_t start = 0;
        std::vector<std::byte> bytes;
    };

    void unpack();

    DescriptorSource* file_ = nullptr;    // where it all comes from
    std::unique_ptr<ByteSource> source_;  // the last step of unpacking
    bool packed_ = false;
    bool at_end_ = false;
    uint64_t position_ = 0;
    std::deque<Block> blocks_;
    bool keeping_ = false;
    uint64_t keep_from_ = 0;
};

}  // namespace tools
