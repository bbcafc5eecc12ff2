// SPDX-License-Identifier: GPL-2.0-only
// A virtio driver for tests: it does to the registers and rings what Linux does,
// and lets a test do what Linux never would.
#pragma once

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <virtio/mmio.hpp>

namespace lkl::test {

using virtio::GuestMemory;
using virtio::Mmio;

// Physical memory with an exact end, so that AddressSanitizer sees a step over it.
class Arena {
public:
    explicit Arena(uint64_t size)
        : size_(size), base_(static_cast<std::byte*>(std::aligned_alloc(4096, size)), &std::free)
    {
        std::memset(base_.get(), 0, size);
    }

    GuestMemory memory() const { return {base_.get(), size_}; }
    uint64_t size() const { return size_; }
    std::byte* at(uint64_t address) const { return base_.get() + address; }
    uint64_t address(const void* pointer) const
    {
        return static_cast<uint64_t>(static_cast<const std::byte*>(pointer) - base_.get());
    }

    // Memory for the test's own use; never freed.
    uint64_t allocate(uint64_t size, uint64_t alignment = 16)
    {
        next_ = (next_ + alignment - 1) / alignment * alignment;
        const uint64_t address = next_;
        next_ += size;
        EXPECT_LE(next_, size_);
        return address;
    }

    template <typename T>
    void put(uint64_t address, T value) const
    {
        std::memcpy(at(address), &value, sizeof value);
    }
    template <typename T>
    T get(uint64_t address) const
    {
        T value;
        std::memcpy(&value, at(address), sizeof value);
        return value;
    }

private:
    uint64_t size_;
    uint64_t next_ = 4096;  // so that address 0 is not handed out by accident
    std::unique_ptr<std::byte, decltype(&std::free)> base_;
};

// The interrupt line: counts, and lets a thread wait.
class CountingLine final : public virtio::IrqLine {
public:
    void raise() noexcept override
    {
        count_.fetch_add(1);
        count_.notify_all();
    }
    unsigned count() const { return count_.load(); }
    // Until it was raised more than `seen` times.
    void wait(unsigned seen) const { count_.wait(seen); }

private:
    std::atomic<unsigned> count_{0};
};

struct Buffer {
    uint64_t address;
    uint32_t length;
    bool writable;
};

struct Descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};

constexpr uint16_t flag_next = 1;
constexpr uint16_t flag_write = 2;
constexpr uint16_t flag_indirect = 4;

struct Used {
    uint32_t id;
    uint32_t length;
};

// The driver's side of one split virtqueue.
class FakeQueue {
public:
    // With `place`: where that queue was.
    FakeQueue(Arena& arena, uint16_t size, bool indirect, bool event_index,
              const FakeQueue* place = nullptr)
        : arena_(arena), size_(size), indirect_(indirect), event_index_(event_index)
    {
        descriptors = place ? place->descriptors : arena.allocate(16ull * size, 16);
        available = place ? place->available : arena.allocate(6 + 2ull * size, 2);
        used = place ? place->used : arena.allocate(6 + 8ull * size, 4);
        arena.put<uint32_t>(available, 0);
        arena.put<uint32_t>(used, 0);
        for (uint16_t i = 0; i < size; ++i)
            free_.push_back(static_cast<uint16_t>(size - 1 - i));
        chains_.resize(size);
    }

    uint16_t size() const { return size_; }
    size_t free_count() const { return free_.size(); }

    void put_descriptor(uint16_t index, const Descriptor& descriptor)
    {
        arena_.put(descriptors + 16ull * index, descriptor);
    }

    // Makes a chain available to a device that was not told yet. Returns its head,
    // or nothing when there are not enough free descriptors.
    std::optional<uint16_t> add(std::span<const Buffer> buffers)
    {
        if (indirect_ && buffers.size() > 1) {
            if (free_.empty())
                return std::nullopt;
            const uint16_t head = take();
            const uint64_t table = table_for(head, buffers.size());
            for (size_t i = 0; i < buffers.size(); ++i)
                arena_.put(table + 16 * i, make(buffers, i, static_cast<uint16_t>(i + 1)));
            put_descriptor(head,
                           {table, static_cast<uint32_t>(16 * buffers.size()), flag_indirect, 0});
            chains_[head] = {head};
            make_available(head);
            return head;
        }
        if (free_.size() < buffers.size())
            return std::nullopt;
        std::vector<uint16_t> chain;
        for (size_t i = 0; i < buffers.size(); ++i)
            chain.push_back(take());
        for (size_t i = 0; i < buffers.size(); ++i)
            put_descriptor(chain[i],
                           make(buffers, i, i + 1 < chain.size() ? chain[i + 1] : uint16_t{0}));
        const uint16_t head = chain[0];
        chains_[head] = std::move(chain);
        make_available(head);
        return head;
    }

    // Puts a head into the ring and moves the index, as virtqueue_add() does.
    void make_available(uint16_t head)
    {
        arena_.put<uint16_t>(available + 4 + 2ull * (available_index_ & (size_ - 1)), head);
        set_available_index(static_cast<uint16_t>(available_index_ + 1));
    }

    void set_available_index(uint16_t index)
    {
        available_index_ = index;
        // Sequentially consistent: Linux has virtio_mb() between this and its look at
        // avail_event, see must_kick().
        shared(available + 2).store(index);
    }
    uint16_t available_index() const { return available_index_; }

    // Whether the device wants to hear of what was made available since the last
    // time (virtqueue_kick_prepare()).
    bool must_kick()
    {
        const uint16_t before = kicked_;
        kicked_ = available_index_;
        if (!event_index_)
            return !(shared(used).load() & 1);
        const uint16_t event = shared(used + 4 + 8ull * size_).load();
        return static_cast<uint16_t>(kicked_ - event - 1) < static_cast<uint16_t>(kicked_ - before);
    }

    // The next chain that the device gave back.
    std::optional<Used> get()
    {
        if (shared(used + 2).load(std::memory_order_acquire) == used_index_)
            return std::nullopt;
        const uint64_t element = used + 4 + 8ull * (used_index_ & (size_ - 1));
        const Used result{arena_.get<uint32_t>(element), arena_.get<uint32_t>(element + 4)};
        ++used_index_;
        EXPECT_LT(result.id, size_);
        if (result.id >= size_ || chains_[result.id].empty()) {
            ADD_FAILURE() << "head " << result.id << " was given back but not in use";
            return std::nullopt;
        }
        for (const uint16_t index : chains_[result.id])
            free_.push_back(index);
        chains_[result.id].clear();
        return result;
    }

    // Asks for an interrupt at the next used element. True: there is one already
    // (virtqueue_enable_cb()).
    bool enable_interrupts()
    {
        if (event_index_)
            shared(available + 4 + 2ull * size_).store(used_index_);
        else
            shared(available).store(0);
        return shared(used + 2).load() != used_index_;
    }
    void disable_interrupts()
    {
        if (!event_index_)
            shared(available).store(1);
    }

    uint64_t descriptors = 0;
    uint64_t available = 0;
    uint64_t used = 0;

private:
    std::atomic_ref<uint16_t> shared(uint64_t address)
    {
        return std::atomic_ref<uint16_t>(*reinterpret_cast<uint16_t*>(arena_.at(address)));
    }

    uint16_t take()
    {
        const uint16_t index = free_.back();
        free_.pop_back();
        return index;
    }

    uint64_t table_for(uint16_t head, size_t entries)
    {
        if (tables_.size() <= head)
            tables_.resize(head + 1u);
        auto& [address, capacity] = tables_[head];
        if (capacity < entries) {
            address = arena_.allocate(16 * entries, 16);
            capacity = entries;
        }
        return address;
    }

    static Descriptor make(std::span<const Buffer> buffers, size_t i, uint16_t next)
    {
        const bool last = i + 1 == buffers.size();
        return {
            buffers[i].address, buffers[i].length,
            static_cast<uint16_t>((buffers[i].writable ? flag_write : 0) | (last ? 0 : flag_next)),
            last ? uint16_t{0} : next};
    }

    Arena& arena_;
    const uint16_t size_;
    const bool indirect_;
    const bool event_index_;
    uint16_t available_index_ = 0;
    uint16_t kicked_ = 0;
    uint16_t used_index_ = 0;
    std::vector<uint16_t> free_;
    std::vector<std::vector<uint16_t>> chains_;
    std::vector<std::pair<uint64_t, size_t>> tables_;
};

// Offsets of registers and bits of the status.
namespace mmio {
constexpr uint64_t device_features = 0x010, device_features_sel = 0x014, driver_features = 0x020,
                   driver_features_sel = 0x024, queue_sel = 0x030, queue_size_max = 0x034,
                   queue_size = 0x038, queue_ready = 0x044, queue_notify = 0x050,
                   interrupt_status = 0x060, interrupt_ack = 0x064, status = 0x070,
                   queue_desc = 0x080, queue_driver = 0x090, queue_device = 0x0a0,
                   queue_reset = 0x0c0, config_generation = 0x0fc, config = 0x100;
constexpr uint32_t acknowledge = 1, driver = 2, driver_ok = 4, features_ok = 8, needs_reset = 64;
}  // namespace mmio

// The driver's side of the transport.
class FakeDriver {
public:
    FakeDriver(Mmio& device, Arena& arena) : device_(device), arena_(arena) {}

    uint32_t read(uint64_t offset) { return static_cast<uint32_t>(device_.read(offset, 4)); }
    void write(uint64_t offset, uint32_t value) { device_.write(offset, value, 4); }
    void write_address(uint64_t offset, uint64_t value)
    {
        write(offset, static_cast<uint32_t>(value));
        write(offset + 4, static_cast<uint32_t>(value >> 32));
    }
    uint32_t status() { return read(mmio::status); }
    void add_status(uint32_t bits) { write(mmio::status, status() | bits); }

    uint64_t offered()
    {
        write(mmio::device_features_sel, 1);
        const uint64_t high = read(mmio::device_features);
        write(mmio::device_features_sel, 0);
        return high << 32 | read(mmio::device_features);
    }

    // Up to FEATURES_OK, which is returned.
    bool negotiate(uint64_t features)
    {
        write(mmio::status, 0);
        add_status(mmio::acknowledge);
        add_status(mmio::driver);
        features_ = features;
        write(mmio::driver_features_sel, 1);
        write(mmio::driver_features, static_cast<uint32_t>(features >> 32));
        write(mmio::driver_features_sel, 0);
        write(mmio::driver_features, static_cast<uint32_t>(features));
        add_status(mmio::features_ok);
        return (status() & mmio::features_ok) != 0;
    }

    // Makes a queue and enables it; null if the device refuses it.
    std::unique_ptr<FakeQueue> make_queue(uint16_t index, uint16_t size)
    {
        auto queue =
            std::make_unique<FakeQueue>(arena_, size, (features_ & virtio::feature_indirect) != 0,
                                        (features_ & virtio::feature_event_index) != 0);
        return enable_queue(index, *queue) ? std::move(queue) : nullptr;
    }
    bool enable_queue(uint16_t index, const FakeQueue& queue)
    {
        write(mmio::queue_sel, index);
        write(mmio::queue_size, queue.size());
        write_address(mmio::queue_desc, queue.descriptors);
        write_address(mmio::queue_driver, queue.available);
        write_address(mmio::queue_device, queue.used);
        write(mmio::queue_ready, 1);
        return read(mmio::queue_ready) == 1;
    }

    void kick(uint32_t index) { write(mmio::queue_notify, index); }

    // What the interrupt handler does first. Returns the causes.
    uint32_t acknowledge()
    {
        const uint32_t causes = read(mmio::interrupt_status);
        write(mmio::interrupt_ack, causes);
        return causes;
    }

    template <typename T>
    T config(uint64_t offset)
    {
        return static_cast<T>(device_.read(mmio::config + offset, sizeof(T)));
    }

private:
    Mmio& device_;
    Arena& arena_;
    uint64_t features_ = 0;
};

}  // namespace lkl::test
