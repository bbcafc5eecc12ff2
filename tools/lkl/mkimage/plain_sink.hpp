// SPDX-License-Identifier: GPL-2.0-only
// Files for an archive that mksquashfs reads.
#pragma once

#include <cstdint>
#include <vector>

#include "common/tree/entry_sink.hpp"

namespace tools::mkimage {

// Passes everything on but the top directory, which mksquashfs gets by options; holes,
// which become zeros: mksquashfs 4.5 stumbles over several forms of sparse members, and
// finds zeros itself; and times that it refuses. One thread.
class PlainSink final : public EntrySink {
public:
    // The reference is kept.
    explicit PlainSink(EntrySink& sink) : sink_(sink) {}

    void begin(const Entry& entry) override;
    void abandon() override;
    void end() override;
    bool holds_sockets() const override { return sink_.holds_sockets(); }
    std::span<std::byte> space() override { return buffer_; }
    void data(uint64_t offset, size_t count) override;
    void align() override {}

private:
    static constexpr size_t buffer_size = size_t{1} << 20;

    void give(const std::byte* bytes, uint64_t count);

    EntrySink& sink_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(buffer_size);
    Entry entry_;
    bool top_ = false;
    uint64_t position_ = 0;  // in the current file
};

}  // namespace tools::mkimage
