// SPDX-License-Identifier: GPL-2.0-only
// The last step of an archive's bytes: onto a descriptor, compressed or not.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace tools {

enum class Compression { none, bzip2, gzip, lz4, xz, zstd };

// One thread at a time. A sink that is destroyed without close() leaves the
// archive unfinished: a compressed one has no valid end.
class ByteSink {
public:
    virtual ~ByteSink() = default;
    // Both throw ToolError, ExitCode::output.
    virtual void write(std::span<const std::byte> data) = 0;
    virtual void close() = 0;
};

// name: of the destination, for messages. The descriptor stays the caller's.
// Throws ToolError when the compression is not available.
std::unique_ptr<ByteSink> make_byte_sink(int descriptor, Compression compression, std::string name);

}  // namespace tools
