// SPDX-License-Identifier: GPL-2.0-only
// Hands files over to a thread of its own that makes them, so that reading and
// writing overlap. Many small files, or a part of a large one, go at a time; data
// are read into the very buffer that they are written from.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/conveyor.hpp"
#include "common/tree/entry_sink.hpp"

namespace tools {

// All functions belong to one thread, the consumer's are called by the other. They
// throw what the consumer threw, as soon as that is known. Destroying it without
// finish() drops what is not written. The consumer's finish() is called in any case.
class EntryPipe final : public EntrySink {
public:
    explicit EntryPipe(EntryConsumer& consumer);
    EntryPipe(const EntryPipe&) = delete;
    EntryPipe& operator=(const EntryPipe&) = delete;

    void begin(const Entry& entry) override;
    void abandon() override;
    void end() override;
    std::span<std::byte> space() override;
    void data(uint64_t offset, size_t count) override;
    void align() override;
    bool is_behind() const override { return true; }
    uint64_t begun() const override { return begun_; }
    bool made(const std::string& path, uint64_t number) override;

    // No more files come: waits until all are made, consumer.finish() included.
    void finish();

private:
    static constexpr size_t buffer_size = size_t{2} << 20;  // bytes
    static constexpr size_t max_steps = 1024;  // a batch: more would keep the consumer waiting
    static constexpr size_t batch_count = 4;

    // A call of the consumer.
    struct Step {
        enum class Kind { begin, data, abandon, end } kind;
        size_t entry;     // begin: which of the batch's
        uint64_t offset;  // data: in the file
        size_t start;     // data: in the batch's buffer
        size_t count;
    };
    struct Batch {
        PageMemory buffer;
        size_t filled = 0;
        std::vector<Step> steps;
        std::vector<Entry> entries;  // kept to keep their memory
        size_t entry_count = 0;
    };

    static std::vector<Batch> make_batches();
    void add(Step step);
    void consume(Batch& batch);
    static bool ends(const Batch& batch, size_t begin);

    EntryConsumer& consumer_;
    uint64_t begun_ = 0;
    std::atomic<uint64_t> ended_ = 0;
    Conveyor<Batch> batches_;
};

}  // namespace tools
