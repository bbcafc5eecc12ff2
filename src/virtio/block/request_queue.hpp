// SPDX-License-Identifier: GPL-2.0-only
// One queue of a block device: from chains to requests of the back end, and back.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <lkl/block.hpp>
#include <virtio/block/request.hpp>
#include <virtio/block/unflushed.hpp>
#include <virtio/device.hpp>

namespace lkl::virtio {

// What a block device did so far. Bytes are those of completed requests.
struct BlockStatistics {
    uint64_t reads = 0, writes = 0, flushes = 0, discards = 0, write_zeroes = 0;
    uint64_t bytes_read = 0, bytes_written = 0;
    uint32_t in_flight = 0;          // the back end has them
    uint64_t failed = 0;             // the back end reported an error
    uint64_t failed_writes = 0;      // those of them that were writes or flushes
    uint64_t bad_requests = 0;       // the driver's mistake, answered with an error
    uint64_t bad_chains = 0;         // the driver's mistake that asks for a reset
    uint64_t bad_notifications = 0;  // of a queue that does not exist
};

// Thread safe. Requests complete on any thread, also within serve().
//
// Locking: mutex_ guards everything; it is not held while the back end is
// called, so that completions can take it.
class RequestQueue {
public:
    // `reap` completes what the back end has finished, for waits. `unflushed` is what all
    // queues of the device have changed.
    RequestQueue(GuestMemory memory, BlockBackend& backend, Unflushed& unflushed,
                 std::function<void()> reap);
    ~RequestQueue();
    RequestQueue(const RequestQueue&) = delete;
    RequestQueue& operator=(const RequestQueue&) = delete;

    // False: a bad layout, or no memory.
    bool enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept;
    // Takes no more requests and waits for those in flight.
    void disable() noexcept;

    // Gives the back end everything that the driver made available, in batches as
    // large as possible. One thread at a time.
    void serve(const BlockLimits& limits, const std::string& serial, Notifier& notifier) noexcept;

    // Between the two, completions are collected, and shown to the driver with at
    // most one interrupt at the end.
    void hold() noexcept;
    void release() noexcept;

    // Waits until nothing is in flight.
    void drain() noexcept;

    void add_statistics(BlockStatistics& sum) const noexcept;

    // For snapshots, while nothing is in flight.
    struct State {
        Queue queue;
        bool broken;
    };
    State save() const noexcept;
    void restore(const State& state) noexcept;

private:
    // NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, never deleted as its base
    struct Slot final : BlockRequest {
        void complete(int result) noexcept override { owner->finish(*this, result); }

        RequestQueue* owner = nullptr;
        Slot* next_free = nullptr;
        iovec* buffers = nullptr;  // Queue::max_chain of them
        std::byte* status = nullptr;
        uint64_t bytes = 0;    // length of the data, kept for the statistics
        uint64_t changes = 0;  // of a flush: what it covers
        uint32_t written = 0;
        uint16_t head = 0;
    };

    bool allocate(uint16_t size) noexcept;
    size_t collect(const BlockLimits& limits, const std::string& serial,
                   Notifier& notifier) noexcept;
    void finish(Slot& slot, int result) noexcept;
    void give_back(Slot& slot, BlockStatus status, uint32_t written) noexcept;
    void count(const Slot& slot, int result) noexcept;
    void publish() noexcept;
    void unhold() noexcept;
    void wait_idle(std::unique_lock<std::mutex>& lock) noexcept;

    BlockBackend& backend_;
    Unflushed& unflushed_;
    const std::function<void()> reap_;

    mutable std::mutex mutex_;
    std::condition_variable idle_;
    Queue queue_;
    Notifier* notifier_ = nullptr;
    bool closing_ = false;    // disable() waits
    bool broken_ = false;     // the driver cannot be served until the queue is reset
    unsigned waiters_ = 0;    // in wait_idle()
    unsigned holds_ = 0;      // publishing is put off
    uint32_t in_flight_ = 0;  // slots that the back end has

    // One slot more than the queue has heads: there is always a free one, because
    // Queue does not pop a head twice. Used last is used first: warm in the cache.
    uint16_t size_ = 0;
    std::unique_ptr<Slot[]> slots_;
    std::unique_ptr<iovec[]> buffers_;
    Slot* free_ = nullptr;
    std::vector<BlockRequest*> batch_;  // serve()'s alone

    BlockStatistics statistics_;
};

}  // namespace lkl::virtio
