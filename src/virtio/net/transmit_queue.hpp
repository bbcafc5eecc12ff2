// SPDX-License-Identifier: GPL-2.0-only
// Packets of the kernel on their way to the back end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include <lkl/packet.hpp>
#include <virtio/device.hpp>
#include <virtio/net/header.hpp>
#include <virtio/net/statistics.hpp>
#include <virtio/queue.hpp>

namespace lkl::virtio {

// Thread safe.
class TransmitQueue {
public:
    // `header`: how much of the header the back end wants, NetInfo::header.
    TransmitQueue(GuestMemory memory, NetBackend& backend, unsigned index, uint8_t header);

    bool enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept;
    void disable() noexcept;

    enum class Outcome : uint8_t {
        done,
        full,  // the back end is, since now
        more   // there may be
    };

    // Gives the back end all that the driver made available, as far as it takes it;
    // what it does not take is first the next time. Without a link all is lost.
    // `offload`: what was agreed on. `enough`: so many packets, and what is in a
    // batch with the last of them, since the driver may go on meanwhile; 0: all. After
    // `more` the driver does not notify.
    Outcome serve(uint32_t offload, bool link, Notifier& notifier, size_t enough = 0) noexcept;

    bool blocked() const noexcept { return blocked_.load(); }
    void add_statistics(NetStatistics& sum) const noexcept;

    // For snapshots, while the back end is not full: no packet waits for it.
    struct State {
        Queue queue;
        bool broken;
    };
    State save() const noexcept;
    void restore(const State& state) noexcept;

private:
    static constexpr size_t batch = 64;

    struct Packet {
        NetHeader header;  // as it was checked
        uint16_t head;
        uint64_t length;
    };

    void collect(uint32_t offload, Notifier& notifier) noexcept;
    bool accept(const Chain& chain, size_t start, uint32_t offload) noexcept;
    bool transmit(bool link) noexcept;

    NetBackend& backend_;
    const unsigned index_;
    const uint8_t header_;
    std::atomic<bool> blocked_{false};

    mutable std::mutex mutex_;  // everything below
    Queue queue_;
    bool broken_ = false;
    size_t count_ = 0;  // packets of the batch
    size_t done_ = 0;   // of them, given back
    size_t used_ = 0;   // elements of space_
    std::array<Packet, batch> packets_;
    std::array<NetPacket, batch> buffers_;
    std::array<iovec, size_t{4} * Queue::max_chain> space_;
    NetStatistics statistics_;
};

}  // namespace lkl::virtio
