// SPDX-License-Identifier: GPL-2.0-only
// The archive as a stream of bytes. It is filled in place, so that file data
// goes from the kernel straight into the buffer that is written to the host,
// and written by a thread of its own, so that reading and writing overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/conveyor.hpp"
#include "common/progress.hpp"
#include "common/tar/byte_sink.hpp"

namespace tools {

// All functions belong to one thread. They throw what the sink threw, as soon
// as that is known. Destroying it without finish() drops what is not written.
class OutputStream {
public:
    static constexpr size_t buffer_size = size_t{1} << 20;

    explicit OutputStream(std::unique_ptr<ByteSink> sink);
    OutputStream(const OutputStream&) = delete;
    OutputStream& operator=(const OutputStream&) = delete;

    // While the functions below wait for the sink, which may be a slow compressor, they have
    // the bar drawn; one that nobody sees costs nothing. The reference is kept.
    void show_waiting(Progress& progress);

    // Room for the bytes that come next; at least one byte.
    std::span<std::byte> space();
    // The first `count` bytes of space() are filled in.
    void commit(size_t count);

    void write(std::span<const std::byte> data);
    void write_zeros(size_t count);

    // Lets space() begin at the start of a buffer, as whole pages.
    void align();

    // Writes everything out and closes the sink.
    void finish();

    // Bytes so far.
    uint64_t position() const { return position_; }

private:
    struct Buffer {
        PageMemory memory;
        size_t filled = 0;
    };

    static constexpr size_t buffer_count = 4;

    static std::vector<Buffer> make_buffers();
    void hand_over();

    std::unique_ptr<ByteSink> sink_;
    uint64_t position_ = 0;
    Conveyor<Buffer> buffers_;
};

}  // namespace tools
