// SPDX-License-Identifier: GPL-2.0-only
// Hands files over to who makes them in the same thread: a copy within one file system,
// where the data need not move.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/conveyor.hpp"
#include "common/tree/entry_sink.hpp"

namespace tools {

// One thread.
class DirectSink final : public EntrySink {
public:
    // The reference is kept.
    explicit DirectSink(EntryConsumer& consumer)
        : consumer_(consumer), buffer_(allocate_pages(buffer_size))
    {
    }

    void begin(const Entry& entry) override { consumer_.begin(entry); }
    void abandon() override { consumer_.abandon(); }
    void end() override { consumer_.end(); }
    std::span<std::byte> space() override { return {buffer_.get(), buffer_size}; }
    void data(uint64_t offset, size_t count) override
    {
        consumer_.data(offset, space().first(count));
    }
    void align() override {}
    bool made(const std::string& path, uint64_t /*number*/) override
    {
        return consumer_.made(path);
    }
    uint64_t share(const lkl::File& source, const Extent& extent) override
    {
        return consumer_.share(source, extent);
    }

private:
    static constexpr size_t buffer_size = size_t{1} << 20;  // bytes

    EntryConsumer& consumer_;
    PageMemory buffer_;
};

}  // namespace tools
