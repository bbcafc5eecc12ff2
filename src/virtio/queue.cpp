// SPDX-License-Identifier: GPL-2.0-only
// The only code that reads or writes a virtqueue.
//
// Rules, each of which a test in tests/unit/virtio_queue_test.cpp breaks on the
// driver's side:
//  1. Every index, length, flag and address of the driver is read once into a
//     local variable, and checked there.
//  2. Loops are bounded by numbers of our own (size_, max_chain).
//  3. The rings are checked to be inside of memory once, in enable(); buffers and
//     indirect tables each time.
//
// Ordering. The driver is Linux, drivers/virtio/virtio_ring.c; its barriers are
// virt_*() ones, which order against this thread even in a kernel without SMP.
//  A. pop() reads the available index with acquire: it pairs with virtio_wmb()
//     before `avail->idx` is stored, so entry and descriptors are seen as filled.
//  B. publish() stores the used index with (at least) release: it pairs with
//     virtio_rmb() after `used->idx` is read, so that elements and data are seen.
//  C. publish() stores the used index, then reads used_event; the driver
//     (virtqueue_enable_cb) stores used_event, virtio_mb(), reads the used index.
//     All sequentially consistent: at least one of the two sees the other's store,
//     so either the device interrupts or the driver finds the element.
//  D. arm() stores avail_event, then reads the available index; the driver
//     (virtqueue_kick_prepare) stores the index, virtio_mb(), reads avail_event.
//     As in C, either the driver notifies or the device finds the chain.
// C and D use sequentially consistent accesses and no fences: the same
// instructions, and ThreadSanitizer understands them.
#include <virtio/queue.hpp>

#include <atomic>
#include <cassert>

namespace lkl::virtio {

namespace {

// VIRTIO 1.2, 2.7.5: struct virtq_desc.
struct Descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};
static_assert(sizeof(Descriptor) == 16);

constexpr uint16_t descriptor_next = 1;
constexpr uint16_t descriptor_write = 2;
constexpr uint16_t descriptor_indirect = 4;

// 2.7.6, struct virtq_avail: flags, idx, ring[size], used_event.
constexpr size_t available_flags = 0;
constexpr size_t available_idx = 2;
constexpr size_t available_ring = 4;
constexpr uint16_t available_no_interrupt = 1;

// 2.7.8, struct virtq_used: flags, idx, ring[size] of {id, len}, avail_event.
constexpr size_t used_idx = 2;
constexpr size_t used_ring = 4;
constexpr size_t used_element = 8;

template <typename T>
std::atomic_ref<T> shared(std::byte* address) noexcept
{
    return std::atomic_ref<T>(*reinterpret_cast<T*>(address));
}

bool aligned(const std::byte* address, size_t alignment) noexcept
{
    return reinterpret_cast<uintptr_t>(address) % alignment == 0;
}

}  // namespace

bool Queue::enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept
{
    disable();
    const uint64_t size = layout.size;
    if (size == 0 || size > max_size || (size & (size - 1)) != 0) {
        fault_ = QueueFault::bad_layout;
        return false;
    }
    // The event fields count as part of the rings even when they are not used.
    descriptors_ = memory_.at(layout.descriptors, sizeof(Descriptor) * size);
    available_ = memory_.at(layout.driver, available_ring + 2 * size + 2);
    used_ = memory_.at(layout.device, used_ring + used_element * size + 2);
    // Atomic accesses need what the standard asks for as well (2.7, table).
    if (!descriptors_ || !available_ || !used_ || !aligned(descriptors_, 16) ||
        !aligned(available_, 2) || !aligned(used_, 4)) {
        disable();
        fault_ = QueueFault::bad_layout;
        return false;
    }
    size_ = layout.size;
    indirect_ = indirect;
    event_index_ = event_index;
    enabled_ = true;
    return true;
}

void Queue::disable() noexcept
{
    enabled_ = false;
    fault_ = QueueFault::none;
    size_ = 0;
    descriptors_ = available_ = used_ = nullptr;
    available_index_ = next_ = pushed_ = published_ = 0;
    in_flight_.reset();
}

Queue::Pop Queue::fail(QueueFault fault) noexcept
{
    fault_ = fault;
    return Pop::fault;
}

// Appends one buffer to the chain. False with fault_ set: the driver's mistake.
bool Queue::add(std::span<iovec> space, uint64_t address, uint32_t length, bool writable,
                Chain& chain) noexcept
{
    if (!writable && !chain.writable.empty()) {
        fault_ = QueueFault::bad_order;
        return false;
    }
    std::byte* const start = memory_.at(address, length);
    if (!start) {
        fault_ = QueueFault::bad_address;
        return false;
    }
    if (length == 0)
        return true;
    std::span<iovec>& part = writable ? chain.writable : chain.readable;
    if (!part.empty()) {
        iovec& last = part.back();
        if (static_cast<std::byte*>(last.iov_base) + last.iov_len == start) {
            last.iov_len += length;
            return true;
        }
    }
    // Both parts lie in `space` one after the other; there is room, because no
    // chain has more than max_chain descriptors.
    const size_t used = chain.readable.size() + chain.writable.size();
    assert(used < space.size());
    space[used] = {start, length};
    part = writable ? space.subspan(chain.readable.size(), chain.writable.size() + 1)
                    : space.first(used + 1);
    return true;
}

Queue::Pop Queue::pop(std::span<iovec> space, Chain& chain) noexcept
{
    if (!enabled_ || fault_ != QueueFault::none)
        return Pop::empty;
    if (available_index_ == next_) {
        available_index_ =
            shared<uint16_t>(available_ + available_idx).load(std::memory_order_acquire);  // A
        if (available_index_ == next_)
            return Pop::empty;
        if (static_cast<uint16_t>(available_index_ - next_) > size_)
            return fail(QueueFault::index_jump);
    }

    const size_t slot = next_ & (size_ - 1);
    const uint16_t head =
        shared<uint16_t>(available_ + available_ring + 2 * slot).load(std::memory_order_relaxed);
    if (head >= size_)
        return fail(QueueFault::bad_head);
    if (in_flight_[head])
        return fail(QueueFault::head_in_flight);

    chain.head = head;
    chain.readable = chain.writable = {};
    const std::byte* table = descriptors_;
    uint32_t entries = size_;
    uint32_t index = head;
    bool inside = false;  // of an indirect table
    uint32_t steps = 0;   // within this table: more than it has entries is a loop
    for (uint32_t count = 0;;) {
        const auto descriptor = read_once<Descriptor>(table + sizeof(Descriptor) * index);
        if (descriptor.flags & descriptor_indirect) {
            // 2.7.5.3: the rest of the chain is in a table of its own; never within
            // such a table, never with a next one. The write flag is ignored.
            if (!indirect_ || inside || (descriptor.flags & descriptor_next) ||
                descriptor.length == 0 || descriptor.length % sizeof(Descriptor) != 0)
                return fail(QueueFault::unexpected_indirect);
            entries = descriptor.length / sizeof(Descriptor);
            table = memory_.at(descriptor.address, descriptor.length);
            if (!table)
                return fail(QueueFault::bad_address);
            inside = true;
            index = 0;
            steps = 0;
            continue;
        }
        if (++count > max_chain || ++steps > entries)
            return fail(QueueFault::long_chain);
        if (!add(space, descriptor.address, descriptor.length,
                 (descriptor.flags & descriptor_write) != 0, chain))
            return Pop::fault;
        if (!(descriptor.flags & descriptor_next))
            break;
        index = descriptor.next;
        if (index >= entries)
            return fail(QueueFault::bad_next);
    }
    in_flight_[head] = true;
    ++next_;
    return Pop::chain;
}

void Queue::push(uint16_t head, uint32_t written) noexcept
{
    assert(enabled_ && in_flight_[head]);
    in_flight_[head] = false;
    std::byte* const element = used_ + used_ring + used_element * (pushed_ & (size_ - 1));
    shared<uint32_t>(element).store(head, std::memory_order_relaxed);
    shared<uint32_t>(element + 4).store(written, std::memory_order_relaxed);
    ++pushed_;
}

bool Queue::publish() noexcept
{
    if (!enabled_ || pushed_ == published_)
        return false;
    const uint16_t before = published_;
    published_ = pushed_;
    shared<uint16_t>(used_ + used_idx).store(published_);  // B, C
    if (!event_index_) {
        // Only a hint: the driver must cope with an interrupt it did not want,
        // but not with a missing one, hence the same order as for C.
        return !(shared<uint16_t>(available_ + available_flags).load() & available_no_interrupt);
    }
    // 2.7.10: interrupt if the index has passed used_event since the last time.
    const uint16_t event =
        shared<uint16_t>(available_ + available_ring + size_t{2} * size_).load();  // C
    return static_cast<uint16_t>(published_ - event - 1) <
           static_cast<uint16_t>(published_ - before);
}

bool Queue::arm() noexcept
{
    if (!enabled_ || fault_ != QueueFault::none)
        return false;
    // Without the event index every notification comes: they are never
    // suppressed by used->flags, so nothing can be lost and the check is cheap.
    if (event_index_)
        shared<uint16_t>(used_ + used_ring + used_element * size_).store(next_);  // D
    return shared<uint16_t>(available_ + available_idx).load() != next_;          // D
}

}  // namespace lkl::virtio
