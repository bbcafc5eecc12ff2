// SPDX-License-Identifier: GPL-2.0-only
// Commands of the driver (VIRTIO 1.2, section 5.1.6.5).
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>

#include <virtio/device.hpp>
#include <virtio/net/statistics.hpp>
#include <virtio/queue.hpp>

namespace lkl::virtio {

// Who carries the commands out. False: refused.
class NetCommands {
public:
    virtual bool set_queue_pairs(uint16_t count) noexcept = 0;
    virtual bool set_guest_offloads(uint64_t features) noexcept = 0;

protected:
    ~NetCommands() = default;
};

// Thread safe.
class ControlQueue {
public:
    ControlQueue(GuestMemory memory, NetCommands& commands) : commands_(commands), queue_(memory) {}

    bool enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept;
    void disable() noexcept;
    void serve(Notifier& notifier) noexcept;
    void add_statistics(NetStatistics& sum) const noexcept;

    // For snapshots.
    struct State {
        Queue queue;
        bool broken;
    };
    State save() const noexcept;
    void restore(const State& state) noexcept;

private:
    bool execute(std::span<iovec> readable) noexcept;

    NetCommands& commands_;
    mutable std::mutex mutex_;  // everything below
    Queue queue_;
    bool broken_ = false;
    std::array<iovec, Queue::max_chain> space_;
    NetStatistics statistics_;
};

}  // namespace lkl::virtio
