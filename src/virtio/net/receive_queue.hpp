// SPDX-License-Identifier: GPL-2.0-only
// Packets of the back end on their way to the kernel.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include <lkl/packet.hpp>
#include <virtio/device.hpp>
#include <virtio/net/header.hpp>
#include <virtio/net/statistics.hpp>
#include <virtio/queue.hpp>

namespace lkl::virtio {

// What a received packet may look like. Fixed while the queue is enabled, but for the
// offload.
struct ReceiveLimits {
    uint32_t offload = 0;    // NetOffload
    uint64_t frame = 0;      // bytes, the longest one
    bool mergeable = false;  // a packet may be spread over several chains
};

// Thread safe.
//
// The driver's chains are popped into a window that is long enough for any packet; the
// back end fills it from the front, and what it has not filled stays for the next one.
class ReceiveQueue {
public:
    // `header`: how much of the header the back end gives, NetInfo::header.
    ReceiveQueue(GuestMemory memory, NetBackend& backend, unsigned index, uint8_t header);

    bool enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept;
    void disable() noexcept;

    enum class Outcome : uint8_t {
        drained,  // the back end has nothing more
        more,     // it may have; others should have a turn
        starved,  // it may have, and the driver notifies when there is room for it
        broken,   // the queue is not enabled, or its contents cannot be believed
        ended,    // the back end will never have anything again
    };
    Outcome serve(const ReceiveLimits& limits, Notifier& notifier) noexcept;

    // Throws away what the back end has.
    void discard() noexcept;

    // Between the two nothing is received: serve() says "broken".
    void hold() noexcept;
    void release() noexcept;

    // Whether serve() can do something once the back end has a packet.
    bool waiting() const noexcept { return waiting_.load(); }
    void add_statistics(NetStatistics& sum) const noexcept;

private:
    static constexpr size_t window = 512;
    static constexpr int budget = 128;  // packets in one turn

    struct Room {
        uint16_t head;
        uint16_t count;   // elements
        uint32_t start;   // in space_
        uint64_t length;  // bytes, with those of the header
    };
    // Where the header of the first room goes.
    using Place = std::array<iovec, sizeof(NetHeader)>;

public:
    // For snapshots, while it is held. The window is a part of it: its chains are popped.
    struct State {
        Queue queue;
        bool broken, waiting, stripped;
        size_t first, places;
        uint64_t capacity;
        Place place;
        std::vector<Room> rooms;   // from the first one on
        std::vector<iovec> space;  // as far as it is used
    };
    State save() const;
    void restore(const State& state) noexcept;

private:
    bool fill(const ReceiveLimits& limits, Notifier& notifier) noexcept;
    bool add(const Chain& chain, size_t start) noexcept;
    void make_room() noexcept;
    void strip() noexcept;
    void deliver(uint64_t frame, const ReceiveLimits& limits) noexcept;
    void write_header() noexcept;
    ssize_t receive() noexcept;

    NetBackend& backend_;
    const unsigned index_;
    const uint8_t header_length_;
    std::atomic<bool> waiting_{false};

    mutable std::mutex mutex_;  // everything below
    Queue queue_;
    bool broken_ = false;
    bool ended_ = false;
    bool held_ = false;
    size_t first_ = 0, last_ = 0;  // of rooms_
    uint64_t capacity_ = 0;        // bytes of them
    // Elements of the rooms, one after the other. There is always one before the
    // first room, for the header that the back end gives.
    size_t used_ = 1;
    // Whether the elements of the first room are without its header.
    bool stripped_ = false;
    size_t places_ = 0;
    Place place_;
    NetHeader header_{};
    std::array<Room, window> rooms_;
    std::array<iovec, size_t{4} * Queue::max_chain> space_;
    NetStatistics statistics_;
};

}  // namespace lkl::virtio
