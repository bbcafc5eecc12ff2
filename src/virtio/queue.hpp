// SPDX-License-Identifier: GPL-2.0-only
// The device's side of a split virtqueue (VIRTIO 1.2, section 2.7).
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/uio.h>

#include <virtio/memory.hpp>

namespace lkl::virtio {

// Where the driver put a queue; physical addresses.
struct QueueLayout {
    uint16_t size = 0;         // number of descriptors, a power of two
    uint64_t descriptors = 0;  // descriptor table, aligned to 16
    uint64_t driver = 0;       // available ring, aligned to 2
    uint64_t device = 0;       // used ring, aligned to 4
};

// What the driver did wrong. Any of them makes the queue useless until it is
// reset, because its contents cannot be believed any more.
enum class QueueFault : uint8_t {
    none,
    bad_layout,          // size, alignment or place of the rings
    index_jump,          // more buffers made available than the queue has
    bad_head,            // a head past the end of the descriptor table
    head_in_flight,      // a head that was not yet given back
    bad_next,            // a chain that goes on past the end of its table
    long_chain,          // a chain longer than allowed, or a loop
    bad_address,         // a buffer outside of memory
    bad_order,           // a buffer to read after one to write
    unexpected_indirect  // indirect where not agreed, nested, chained or of a bad length
};

// A request as popped: host addresses, checked to be inside the memory.
struct Chain {
    uint16_t head = 0;          // names the chain when it is given back
    std::span<iovec> readable;  // what the device reads, then
    std::span<iovec> writable;  // what it writes
};

// One queue. Not thread safe: its device calls it with the queue's lock held.
// The driver may run at the same time on another thread, and may be malicious.
class Queue {
public:
    static constexpr uint16_t max_size = 1024;

    // Descriptors in a chain, for direct and for indirect ones. VIRTIO bounds
    // both by the size of the queue (2.7.5.3.1), but Linux goes up to what the
    // device's own limit of segments allows.
    static constexpr uint32_t max_chain = 256;

    explicit Queue(GuestMemory memory) noexcept : memory_(memory) {}

    // A copy is the queue at a moment, with the chains that are in flight then. Those of
    // the queue that is assigned to are not given back any more.
    Queue(const Queue&) = default;
    Queue& operator=(const Queue&) = default;

    // Starts the queue at index 0. False, with fault() set: the layout is bad.
    bool enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept;
    // Forgets the layout: the memory is not touched from here on.
    void disable() noexcept;
    bool enabled() const noexcept { return enabled_; }
    uint16_t size() const noexcept { return size_; }
    QueueFault fault() const noexcept { return fault_; }

    enum class Pop : uint8_t { empty, chain, fault };

    // Takes the next chain. Its buffers are written into `space`, which has
    // max_chain elements; neighbours in memory become one. After Pop::fault the
    // queue pops nothing until it is enabled again.
    Pop pop(std::span<iovec> space, Chain& chain) noexcept;

    // Gives a popped chain back, of which `written` bytes were written. The
    // driver sees it at the next publish().
    void push(uint16_t head, uint32_t written) noexcept;

    // Shows the driver what was pushed. True: it wants an interrupt for that.
    bool publish() noexcept;

    // Asks to be notified of the next available chain. True: there is one
    // already, for which no notification may come.
    bool arm() noexcept;

private:
    Pop fail(QueueFault fault) noexcept;
    bool add(std::span<iovec> space, uint64_t address, uint32_t length, bool writable,
             Chain& chain) noexcept;

    GuestMemory memory_;
    bool enabled_ = false;
    bool indirect_ = false;
    bool event_index_ = false;
    QueueFault fault_ = QueueFault::none;
    uint16_t size_ = 0;

    std::byte* descriptors_ = nullptr;
    std::byte* available_ = nullptr;
    std::byte* used_ = nullptr;

    uint16_t available_index_ = 0;     // the driver's index as last read
    uint16_t next_ = 0;                // the next available entry to pop
    uint16_t pushed_ = 0;              // the next used entry to fill
    uint16_t published_ = 0;           // the used index that the driver sees
    std::bitset<max_size> in_flight_;  // heads popped and not pushed
};

}  // namespace lkl::virtio
