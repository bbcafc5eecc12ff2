// SPDX-License-Identifier: GPL-2.0-only
// The device's side of a virtqueue against a driver that does everything wrong.
#include <array>
#include <functional>

#include <gtest/gtest.h>

#include <virtio/queue.hpp>

#include "fake_driver.hpp"

namespace lkl::test {
namespace {

using virtio::Chain;
using virtio::Queue;
using virtio::QueueFault;
using virtio::QueueLayout;

constexpr uint16_t queue_size = 8;

class VirtioQueue : public testing::Test {
protected:
    explicit VirtioQueue(bool indirect = true, bool event_index = true)
        : driver(arena, queue_size, false, event_index),
          indirect_(indirect),
          event_index_(event_index)
    {
        EXPECT_TRUE(queue.enable(layout(), indirect_, event_index_));
    }

    QueueLayout layout() const
    {
        return {queue_size, driver.descriptors, driver.available, driver.used};
    }
    Queue::Pop pop() { return queue.pop(space, chain); }
    void expect_fault(QueueFault fault)
    {
        EXPECT_EQ(pop(), Queue::Pop::fault);
        EXPECT_EQ(queue.fault(), fault);
        // Once is enough: nothing more is taken.
        EXPECT_EQ(pop(), Queue::Pop::empty);
        EXPECT_FALSE(queue.arm());
    }

    Arena arena{64 << 10};
    FakeQueue driver;
    bool indirect_;
    bool event_index_;
    Queue queue{arena.memory()};
    std::array<iovec, Queue::max_chain> space{};
    Chain chain;
};

class VirtioQueueWithoutFeatures : public VirtioQueue {
protected:
    VirtioQueueWithoutFeatures() : VirtioQueue(false, false) {}
};

TEST_F(VirtioQueue, chain_comes_out_as_it_went_in)
{
    const uint64_t a = arena.allocate(100), b = arena.allocate(300), c = arena.allocate(50);
    const std::array<Buffer, 3> buffers{{{a, 16, false}, {b, 200, true}, {c, 50, true}}};
    const auto head = driver.add(buffers);
    ASSERT_EQ(pop(), Queue::Pop::chain);
    EXPECT_EQ(chain.head, *head);
    ASSERT_EQ(chain.readable.size(), 1u);
    EXPECT_EQ(chain.readable[0].iov_base, arena.at(a));
    EXPECT_EQ(chain.readable[0].iov_len, 16u);
    ASSERT_EQ(chain.writable.size(), 2u);
    EXPECT_EQ(chain.writable[0].iov_base, arena.at(b));
    EXPECT_EQ(chain.writable[0].iov_len, 200u);
    EXPECT_EQ(chain.writable[1].iov_base, arena.at(c));
    EXPECT_EQ(chain.writable[1].iov_len, 50u);
    EXPECT_EQ(pop(), Queue::Pop::empty);

    EXPECT_FALSE(driver.get());
    queue.push(chain.head, 77);
    EXPECT_FALSE(driver.get()) << "visible before it was published";
    EXPECT_TRUE(queue.publish());
    const auto used = driver.get();
    ASSERT_TRUE(used);
    EXPECT_EQ(used->id, *head);
    EXPECT_EQ(used->length, 77u);
}

TEST_F(VirtioQueue, neighbours_become_one_buffer_and_empty_ones_vanish)
{
    const uint64_t a = arena.allocate(4096);
    const std::array<Buffer, 6> buffers{{{a, 100, false},
                                         {a + 100, 50, false},
                                         {a + 200, 0, false},
                                         {a + 200, 10, false},
                                         {a + 210, 20, true},  // a neighbour, but to write
                                         {a + 230, 30, true}}};
    driver.add(buffers);
    ASSERT_EQ(pop(), Queue::Pop::chain);
    ASSERT_EQ(chain.readable.size(), 2u);
    EXPECT_EQ(chain.readable[0].iov_len, 150u);
    EXPECT_EQ(chain.readable[1].iov_len, 10u);
    ASSERT_EQ(chain.writable.size(), 1u);
    EXPECT_EQ(chain.writable[0].iov_base, arena.at(a + 210));
    EXPECT_EQ(chain.writable[0].iov_len, 50u);
}

TEST_F(VirtioQueue, indices_wrap_around)
{
    const uint64_t a = arena.allocate(64);
    const std::array<Buffer, 1> buffers{{{a, 64, true}}};
    for (int i = 0; i < 200000; ++i) {
        ASSERT_TRUE(driver.add(buffers));
        ASSERT_EQ(pop(), Queue::Pop::chain);
        queue.push(chain.head, static_cast<uint32_t>(i));
        driver.enable_interrupts();
        ASSERT_TRUE(queue.publish());
        const auto used = driver.get();
        ASSERT_TRUE(used);
        ASSERT_EQ(used->length, static_cast<uint32_t>(i));
    }
}

TEST_F(VirtioQueue, table_holds_a_chain_longer_than_the_queue)
{
    constexpr size_t count = Queue::max_chain;
    const uint64_t table = arena.allocate(16 * count), data = arena.allocate(2 * count * 8);
    for (size_t i = 0; i < count; ++i)
        arena.put(table + 16 * i,
                  Descriptor{data + 16 * i, 8, static_cast<uint16_t>(i + 1 < count ? flag_next : 0),
                             static_cast<uint16_t>(i + 1)});
    driver.put_descriptor(3, {table, 16 * count, flag_indirect, 0});
    driver.make_available(3);
    ASSERT_EQ(pop(), Queue::Pop::chain);
    EXPECT_EQ(chain.head, 3);
    EXPECT_EQ(chain.readable.size(), count);
    EXPECT_EQ(chain.readable.back().iov_base, arena.at(data + 16 * (count - 1)));
}

TEST_F(VirtioQueue, table_may_follow_direct_descriptors_and_lie_unaligned)
{
    // 2.7.5.3.2 obliges the device to take both; the write flag means nothing.
    const uint64_t data = arena.allocate(512), table = arena.allocate(64) + 1;
    arena.put(table, Descriptor{data + 100, 10, flag_write, 0});
    driver.put_descriptor(0, {data, 16, flag_next, 1});
    driver.put_descriptor(1, {table, 16, flag_indirect | flag_write, 0});
    driver.make_available(0);
    ASSERT_EQ(pop(), Queue::Pop::chain);
    EXPECT_EQ(chain.readable.size(), 1u);
    ASSERT_EQ(chain.writable.size(), 1u);
    EXPECT_EQ(chain.writable[0].iov_base, arena.at(data + 100));
}

// ---- What the driver can do wrong ----

TEST_F(VirtioQueue, index_that_jumps)
{
    driver.set_available_index(queue_size + 1);
    expect_fault(QueueFault::index_jump);
}

TEST_F(VirtioQueue, index_that_goes_back)
{
    driver.set_available_index(0xffff);
    expect_fault(QueueFault::index_jump);
}

TEST_F(VirtioQueue, head_past_the_table)
{
    driver.make_available(queue_size);
    expect_fault(QueueFault::bad_head);
}

TEST_F(VirtioQueue, head_that_is_in_flight)
{
    driver.put_descriptor(2, {arena.allocate(16), 16, flag_write, 0});
    driver.make_available(2);
    driver.make_available(2);
    EXPECT_EQ(pop(), Queue::Pop::chain);
    expect_fault(QueueFault::head_in_flight);
    // The first one can still be given back.
    queue.push(2, 1);
    EXPECT_TRUE(queue.publish());
}

TEST_F(VirtioQueue, next_past_the_table)
{
    driver.put_descriptor(0, {arena.allocate(16), 16, flag_next, queue_size});
    driver.make_available(0);
    expect_fault(QueueFault::bad_next);
}

TEST_F(VirtioQueue, loop_of_descriptors)
{
    const uint64_t a = arena.allocate(16);
    driver.put_descriptor(0, {a, 16, flag_next, 1});
    driver.put_descriptor(1, {a, 16, flag_next, 0});
    driver.make_available(0);
    expect_fault(QueueFault::long_chain);
}

TEST_F(VirtioQueue, loop_in_a_table)
{
    const uint64_t table = arena.allocate(32);
    arena.put(table, Descriptor{table, 8, flag_next, 1});
    arena.put(table + 16, Descriptor{table, 8, flag_next, 0});
    driver.put_descriptor(0, {table, 32, flag_indirect, 0});
    driver.make_available(0);
    expect_fault(QueueFault::long_chain);
}

TEST_F(VirtioQueue, table_with_a_chain_that_is_too_long)
{
    constexpr size_t count = Queue::max_chain + 1;
    const uint64_t table = arena.allocate(16 * count);
    for (size_t i = 0; i < count; ++i)
        arena.put(table + 16 * i,
                  Descriptor{i * 32, 8, static_cast<uint16_t>(i + 1 < count ? flag_next : 0),
                             static_cast<uint16_t>(i + 1)});
    driver.put_descriptor(0, {table, 16 * count, flag_indirect, 0});
    driver.make_available(0);
    expect_fault(QueueFault::long_chain);
}

TEST_F(VirtioQueue, next_past_the_indirect_table)
{
    const uint64_t table = arena.allocate(32);
    arena.put(table, Descriptor{table, 8, flag_next, 2});
    driver.put_descriptor(0, {table, 32, flag_indirect, 0});
    driver.make_available(0);
    expect_fault(QueueFault::bad_next);
}

TEST_F(VirtioQueue, buffer_to_read_after_one_to_write)
{
    const uint64_t a = arena.allocate(64);
    const std::array<Buffer, 2> buffers{{{a, 16, true}, {a + 16, 16, false}}};
    driver.add(buffers);
    expect_fault(QueueFault::bad_order);
}

TEST_F(VirtioQueue, table_in_a_table)
{
    const uint64_t table = arena.allocate(32);
    arena.put(table, Descriptor{table + 16, 16, flag_indirect, 0});
    driver.put_descriptor(0, {table, 16, flag_indirect, 0});
    driver.make_available(0);
    expect_fault(QueueFault::unexpected_indirect);
}

TEST_F(VirtioQueue, table_with_a_successor)
{
    driver.put_descriptor(0, {arena.allocate(16), 16, flag_indirect | flag_next, 1});
    driver.make_available(0);
    expect_fault(QueueFault::unexpected_indirect);
}

TEST_F(VirtioQueueWithoutFeatures, table_that_was_not_agreed_on)
{
    driver.put_descriptor(0, {arena.allocate(16), 16, flag_indirect, 0});
    driver.make_available(0);
    expect_fault(QueueFault::unexpected_indirect);
}

struct Case {
    const char* name;
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    QueueFault fault;
};

class VirtioQueueBuffer : public VirtioQueue, public testing::WithParamInterface<Case> {};

TEST_P(VirtioQueueBuffer, is_refused)
{
    const Case& c = GetParam();
    driver.put_descriptor(0, {c.address, c.length, c.flags, 0});
    driver.make_available(0);
    expect_fault(c.fault);
}

constexpr uint64_t end = 64 << 10;
INSTANTIATE_TEST_SUITE_P(
    All, VirtioQueueBuffer,
    testing::Values(
        Case{"starts_at_the_end", end, 1, 0, QueueFault::bad_address},
        Case{"goes_over_the_end", end - 1, 2, 0, QueueFault::bad_address},
        Case{"starts_far_outside", 1ull << 40, 1, 0, QueueFault::bad_address},
        Case{"overflows", ~0ull, 2, 0, QueueFault::bad_address},
        Case{"overflows_to_the_start", ~0ull - 0xfff, 0x2000, flag_write, QueueFault::bad_address},
        Case{"is_as_long_as_can_be", 16, ~0u, flag_write, QueueFault::bad_address},
        Case{"is_an_empty_table", 16, 0, flag_indirect, QueueFault::unexpected_indirect},
        Case{"is_a_table_of_a_bad_size", 16, 17, flag_indirect, QueueFault::unexpected_indirect},
        Case{"is_a_table_outside", end - 16, 32, flag_indirect, QueueFault::bad_address},
        Case{"is_a_table_that_overflows", ~0ull - 15, 32, flag_indirect, QueueFault::bad_address},
        Case{"is_a_huge_table", 16, 0xfffffff0, flag_indirect, QueueFault::bad_address}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(VirtioQueue, last_byte_of_memory_is_a_buffer)
{
    driver.put_descriptor(0, {arena.size() - 1, 1, flag_write, 0});
    driver.make_available(0);
    ASSERT_EQ(pop(), Queue::Pop::chain);
    EXPECT_EQ(chain.writable[0].iov_base, arena.at(arena.size() - 1));
}

struct LayoutCase {
    const char* name;
    std::function<void(QueueLayout&)> change;
};

class VirtioQueueLayout : public VirtioQueue, public testing::WithParamInterface<LayoutCase> {};

TEST_P(VirtioQueueLayout, is_refused)
{
    QueueLayout bad = layout();
    GetParam().change(bad);
    EXPECT_FALSE(queue.enable(bad, true, true));
    EXPECT_EQ(queue.fault(), QueueFault::bad_layout);
    EXPECT_FALSE(queue.enabled());
    EXPECT_EQ(pop(), Queue::Pop::empty);
    EXPECT_FALSE(queue.arm());
    EXPECT_FALSE(queue.publish());
    EXPECT_TRUE(queue.enable(layout(), true, true));
}

INSTANTIATE_TEST_SUITE_P(
    All, VirtioQueueLayout,
    testing::Values(
        LayoutCase{"no_size", [](QueueLayout& l) { l.size = 0; }},
        LayoutCase{"size_is_no_power_of_two", [](QueueLayout& l) { l.size = 6; }},
        LayoutCase{"too_large", [](QueueLayout& l) { l.size = 2 * Queue::max_size; }},
        LayoutCase{"descriptors_unaligned", [](QueueLayout& l) { l.descriptors += 8; }},
        LayoutCase{"driver_ring_unaligned", [](QueueLayout& l) { l.driver += 1; }},
        LayoutCase{"device_ring_unaligned", [](QueueLayout& l) { l.device += 2; }},
        LayoutCase{"descriptors_over_the_end",
                   [](QueueLayout& l) { l.descriptors = end - 16 * queue_size + 16; }},
        LayoutCase{"driver_ring_over_the_end",
                   [](QueueLayout& l) { l.driver = end - 2 * queue_size - 4; }},
        LayoutCase{"device_ring_over_the_end",
                   [](QueueLayout& l) { l.device = end - 8 * queue_size - 4; }},
        LayoutCase{"descriptors_overflow", [](QueueLayout& l) { l.descriptors = ~0ull - 15; }},
        LayoutCase{"driver_ring_overflows", [](QueueLayout& l) { l.driver = ~0ull - 1; }},
        LayoutCase{"device_ring_overflows", [](QueueLayout& l) { l.device = ~0ull - 3; }}),
    [](const auto& info) { return std::string(info.param.name); });

// The rings may end with the memory, event fields included.
TEST_F(VirtioQueue, rings_at_the_very_end)
{
    QueueLayout last = layout();
    last.driver = end - (4 + 2 * queue_size + 2);
    EXPECT_TRUE(queue.enable(last, true, true));
    last = layout();
    last.device = end - (4 + 8 * queue_size + 4);  // aligned to 4, 2 bytes are left
    EXPECT_TRUE(queue.enable(last, true, true));
    EXPECT_FALSE(queue.arm());  // writes avail_event
    EXPECT_EQ(pop(), Queue::Pop::empty);
}

// ---- Notifications ----

class VirtioQueueEvents : public VirtioQueue {
protected:
    void give_back_one()
    {
        const std::array<Buffer, 1> buffers{{{4096, 64, true}}};
        ASSERT_TRUE(driver.add(buffers));
        ASSERT_EQ(pop(), Queue::Pop::chain);
        queue.push(chain.head, 0);
    }
};

TEST_F(VirtioQueueEvents, interrupt_only_when_the_driver_asked)
{
    driver.enable_interrupts();
    give_back_one();
    EXPECT_TRUE(queue.publish());
    give_back_one();
    EXPECT_FALSE(queue.publish()) << "used_event is behind";
    EXPECT_FALSE(queue.publish()) << "nothing new";
    EXPECT_TRUE(driver.get() && driver.get());
    EXPECT_FALSE(driver.enable_interrupts());
    give_back_one();
    give_back_one();
    EXPECT_TRUE(queue.publish()) << "used_event is inside of what was published";
}

TEST_F(VirtioQueueEvents, notification_only_when_the_device_asked)
{
    const std::array<Buffer, 1> buffers{{{4096, 64, true}}};
    EXPECT_FALSE(queue.arm());
    driver.add(buffers);
    EXPECT_TRUE(driver.must_kick());
    driver.add(buffers);
    EXPECT_FALSE(driver.must_kick()) << "the device was told already";
    EXPECT_EQ(pop(), Queue::Pop::chain);
    EXPECT_TRUE(queue.arm()) << "a chain came without a notification";
    EXPECT_EQ(pop(), Queue::Pop::chain);
    EXPECT_FALSE(queue.arm());
    driver.add(buffers);
    EXPECT_TRUE(driver.must_kick());
}

TEST_F(VirtioQueueWithoutFeatures, flags_suppress_interrupts)
{
    const std::array<Buffer, 1> buffers{{{4096, 64, true}}};
    for (const bool wanted : {true, false, true}) {
        if (wanted)
            driver.enable_interrupts();
        else
            driver.disable_interrupts();
        driver.add(buffers);
        EXPECT_TRUE(driver.must_kick());
        ASSERT_EQ(pop(), Queue::Pop::chain);
        queue.push(chain.head, 0);
        EXPECT_EQ(queue.publish(), wanted);
        EXPECT_TRUE(driver.get());
    }
}

TEST_F(VirtioQueue, disabled_queue_touches_nothing)
{
    const std::array<Buffer, 1> buffers{{{4096, 64, true}}};
    driver.add(buffers);
    queue.disable();
    EXPECT_EQ(pop(), Queue::Pop::empty);
    EXPECT_FALSE(queue.publish());
    EXPECT_FALSE(queue.arm());
    EXPECT_EQ(arena.get<uint16_t>(driver.used + 2), 0);
}

}  // namespace
}  // namespace lkl::test
