// SPDX-License-Identifier: GPL-2.0-only
// Files on their way to a sink that keeps all it is given, counted.
#pragma once

#include "common/tree/entry_sink.hpp"
#include "common/tree/failures.hpp"

namespace tools {

// The references are kept.
class CountedSink final : public EntrySink {
public:
    CountedSink(EntrySink& sink, const Failures& failures) : sink_(sink), failures_(failures) {}

    void begin(const Entry& entry) override
    {
        sink_.begin(entry);
        type_ = entry.type;
        bytes_ = 0;
    }
    void abandon() override { sink_.abandon(); }
    void end() override
    {
        sink_.end();
        failures_.count(type_);
        failures_.count_bytes(bytes_);
    }
    bool holds_sockets() const override { return sink_.holds_sockets(); }
    std::span<std::byte> space() override { return sink_.space(); }
    void data(uint64_t offset, size_t count) override
    {
        sink_.data(offset, count);
        bytes_ += count;
    }
    void align() override { sink_.align(); }

private:
    EntrySink& sink_;
    const Failures& failures_;
    EntryType type_ = EntryType::regular;  // of the current file
    uint64_t bytes_ = 0;
};

}  // namespace tools
