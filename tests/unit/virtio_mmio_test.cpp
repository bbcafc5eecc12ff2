// SPDX-License-Identifier: GPL-2.0-only
// The register interface: negotiation, status, interrupts, configuration space.
#include <algorithm>
#include <array>
#include <string>

#include <gtest/gtest.h>

#include <virtio/mmio.hpp>

#include "fake_driver.hpp"

namespace lkl::test {
namespace {

constexpr uint64_t version_1 = virtio::feature_version_1;
constexpr uint64_t own_feature = 1 << 5;
constexpr uint64_t other_feature = 1ull << 50;
constexpr uint64_t all = version_1 | virtio::feature_event_index | virtio::feature_indirect |
                         virtio::feature_ring_reset | own_feature | other_feature;

// Records what the transport asks of it.
class RecordingDevice final : public virtio::Device {
public:
    explicit RecordingDevice(virtio::GuestMemory memory) : memory_(memory) {}

    uint32_t id() const noexcept override { return 42; }
    uint64_t features() const noexcept override { return own_feature | other_feature; }
    uint16_t queue_count() const noexcept override { return 2; }
    uint16_t queue_size_max() const noexcept override { return 64; }
    void attach(virtio::Notifier& n) noexcept override { notifier = &n; }
    bool set_features(uint64_t features) noexcept override
    {
        accepted = features;
        return accept;
    }
    void read_config(uint64_t offset, std::span<std::byte> to) noexcept override
    {
        for (std::byte& byte : to)
            byte = offset < config.size() ? config[offset++] : std::byte{0};
    }
    void write_config(uint64_t offset, std::span<const std::byte> from) noexcept override
    {
        for (const std::byte byte : from)
            if (offset < config.size())
                config[offset++] = byte;
    }
    bool enable_queue(uint16_t index, const virtio::QueueLayout& layout) noexcept override
    {
        log += "enable" + std::to_string(index) + " ";
        layouts.at(index) = layout;
        return virtio::Queue(memory_).enable(layout, true, true);
    }
    void disable_queue(uint16_t index) noexcept override
    {
        log += "disable" + std::to_string(index) + " ";
    }
    void start() noexcept override { log += "start "; }
    void notify(uint16_t index) noexcept override { log += "notify" + std::to_string(index) + " "; }
    void reset() noexcept override { log += "reset "; }

    std::string take_log() { return std::exchange(log, {}); }

    virtio::Notifier* notifier = nullptr;
    uint64_t accepted = 0;
    bool accept = true;
    std::array<std::byte, 16> config{};
    std::array<virtio::QueueLayout, 2> layouts;
    std::string log;

private:
    virtio::GuestMemory memory_;
};

class VirtioMmio : public testing::Test {
protected:
    Arena arena{256 << 10};
    RecordingDevice device{arena.memory()};
    CountingLine line;
    Mmio mmio{device, line};
    FakeDriver driver{mmio, arena};
};

TEST_F(VirtioMmio, identifies_itself)
{
    EXPECT_EQ(driver.read(0x000), 0x74726976u);
    EXPECT_EQ(driver.read(0x004), 2u);
    EXPECT_EQ(driver.read(0x008), 42u);
    EXPECT_EQ(driver.read(0x00c), Mmio::vendor);
    EXPECT_EQ(mmio.errors().access, 0u);
}

TEST_F(VirtioMmio, offers_features_of_device_and_transport)
{
    EXPECT_EQ(driver.offered(), all);
    driver.write(mmio::device_features_sel, 2);
    EXPECT_EQ(driver.read(mmio::device_features), 0u);
}

TEST_F(VirtioMmio, negotiation_passes_the_accepted_features)
{
    EXPECT_TRUE(driver.negotiate(version_1 | other_feature));
    EXPECT_EQ(device.accepted, version_1 | other_feature);
    EXPECT_EQ(driver.status(), mmio::acknowledge | mmio::driver | mmio::features_ok);
}

TEST_F(VirtioMmio, refuses_features_that_were_not_offered)
{
    EXPECT_FALSE(driver.negotiate(version_1 | 1ull << 51));
    EXPECT_EQ(mmio.errors().features, 1u);
}

TEST_F(VirtioMmio, refuses_drivers_without_version_1)
{
    EXPECT_FALSE(driver.negotiate(own_feature));
    EXPECT_EQ(mmio.errors().features, 1u);
}

TEST_F(VirtioMmio, device_has_a_say_in_features)
{
    device.accept = false;
    EXPECT_FALSE(driver.negotiate(version_1));
    device.accept = true;
    EXPECT_TRUE(driver.negotiate(version_1));
}

TEST_F(VirtioMmio, refuses_features_beyond_64)
{
    driver.write(mmio::driver_features_sel, 2);
    driver.write(mmio::driver_features, 1);
    EXPECT_EQ(mmio.errors().features, 1u);
}

TEST_F(VirtioMmio, features_are_fixed_once_agreed)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    driver.write(mmio::driver_features_sel, 0);
    driver.write(mmio::driver_features, own_feature);
    EXPECT_EQ(mmio.errors().order, 1u);
    driver.add_status(mmio::driver_ok);
    EXPECT_EQ(device.accepted, version_1);
}

TEST_F(VirtioMmio, starts_only_after_features)
{
    driver.write(mmio::status, mmio::acknowledge | mmio::driver | mmio::driver_ok);
    EXPECT_EQ(driver.status(), mmio::acknowledge | mmio::driver);
    EXPECT_EQ(mmio.errors().order, 1u);
    EXPECT_EQ(device.take_log(), "");
    ASSERT_TRUE(driver.negotiate(version_1));
    driver.add_status(mmio::driver_ok);
    EXPECT_EQ(device.take_log(), "reset start ");
    driver.add_status(mmio::driver_ok);
    EXPECT_EQ(device.take_log(), "") << "started twice";
}

TEST_F(VirtioMmio, status_bits_are_not_cleared_one_by_one)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    driver.write(mmio::status, mmio::acknowledge);
    EXPECT_EQ(driver.status(), mmio::acknowledge | mmio::driver | mmio::features_ok);
    EXPECT_EQ(mmio.errors().order, 1u);
}

TEST_F(VirtioMmio, queue_registers_reach_the_device)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    driver.write(mmio::queue_sel, 1);
    EXPECT_EQ(driver.read(mmio::queue_size_max), 64u);
    EXPECT_EQ(driver.read(mmio::queue_ready), 0u);
    const auto queue = driver.make_queue(1, 32);
    ASSERT_TRUE(queue);
    EXPECT_EQ(device.take_log(), "reset enable1 ");
    EXPECT_EQ(device.layouts[1].size, 32);
    EXPECT_EQ(device.layouts[1].descriptors, queue->descriptors);
    EXPECT_EQ(device.layouts[1].driver, queue->available);
    EXPECT_EQ(device.layouts[1].device, queue->used);
    driver.write(mmio::queue_sel, 0);
    EXPECT_EQ(driver.read(mmio::queue_ready), 0u) << "the other queue";

    driver.kick(1);
    EXPECT_EQ(device.take_log(), "notify1 ");
    driver.write(mmio::queue_sel, 1);
    driver.write(mmio::queue_ready, 0);
    EXPECT_EQ(device.take_log(), "disable1 ");
    EXPECT_EQ(driver.read(mmio::queue_ready), 0u);
}

TEST_F(VirtioMmio, queue_that_does_not_exist)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    for (const uint32_t index : {2u, 0xffffu, 0x10000u, ~0u}) {
        driver.write(mmio::queue_sel, index);
        EXPECT_EQ(driver.read(mmio::queue_size_max), 0u);
        EXPECT_EQ(driver.read(mmio::queue_ready), 0u);
        driver.write(mmio::queue_size, 8);
        driver.write(mmio::queue_ready, 1);
        driver.write(mmio::queue_reset, 1);
    }
    EXPECT_EQ(device.take_log(), "reset ");
    EXPECT_EQ(mmio.errors().access, 12u);
}

TEST_F(VirtioMmio, queue_before_features)
{
    FakeQueue queue(arena, 8, false, false);
    EXPECT_FALSE(driver.enable_queue(0, queue));
    EXPECT_EQ(mmio.errors().order, 1u);
    EXPECT_EQ(device.take_log(), "");
}

TEST_F(VirtioMmio, queue_registers_are_fixed_while_it_is_ready)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    const auto queue = driver.make_queue(0, 8);
    ASSERT_TRUE(queue);
    driver.write_address(mmio::queue_desc, 0);
    driver.write(mmio::queue_size, 16);
    EXPECT_EQ(mmio.errors().order, 3u);
    EXPECT_EQ(device.layouts[0].descriptors, queue->descriptors);
}

TEST_F(VirtioMmio, queue_size_does_not_wrap)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    FakeQueue queue(arena, 8, false, false);
    driver.write(mmio::queue_sel, 0);
    ASSERT_TRUE(driver.enable_queue(0, queue));
    driver.write(mmio::queue_ready, 0);
    for (const uint32_t size : {0x10008u, 128u, 0x80000008u}) {
        driver.write(mmio::queue_size, size);
        driver.write(mmio::queue_ready, 1);
        EXPECT_EQ(driver.read(mmio::queue_ready), 0u) << size;
    }
}

TEST_F(VirtioMmio, bad_queue_asks_for_a_reset)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    driver.add_status(mmio::driver_ok);
    FakeQueue queue(arena, 8, false, false);
    queue.used = arena.size();
    EXPECT_FALSE(driver.enable_queue(0, queue));
    EXPECT_EQ(mmio.errors().queues, 1u);
    EXPECT_EQ(mmio.errors().resets, 1u);
    EXPECT_TRUE(driver.status() & mmio::needs_reset);
    EXPECT_EQ(driver.acknowledge(), 2u);

    // The driver can neither set nor clear the bit, but by a reset.
    driver.write(mmio::status, driver.status() & ~mmio::needs_reset);
    EXPECT_TRUE(driver.status() & mmio::needs_reset);
    driver.write(mmio::status, 0);
    EXPECT_EQ(driver.status(), 0u);
    driver.write(mmio::status, mmio::acknowledge | mmio::needs_reset);
    EXPECT_EQ(driver.status(), mmio::acknowledge);
}

TEST_F(VirtioMmio, queue_reset)
{
    ASSERT_TRUE(driver.negotiate(version_1 | virtio::feature_ring_reset));
    const auto queue = driver.make_queue(0, 8);
    driver.add_status(mmio::driver_ok);
    device.take_log();
    driver.write(mmio::queue_reset, 1);
    EXPECT_EQ(device.take_log(), "disable0 ");
    EXPECT_EQ(driver.read(mmio::queue_reset), 0u);
    EXPECT_EQ(driver.read(mmio::queue_ready), 0u);
    EXPECT_TRUE(driver.enable_queue(0, *queue));
}

TEST_F(VirtioMmio, queue_reset_must_be_negotiated)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    ASSERT_TRUE(driver.make_queue(0, 8));
    driver.write(mmio::queue_reset, 1);
    EXPECT_EQ(mmio.errors().order, 1u);
    EXPECT_EQ(driver.read(mmio::queue_ready), 1u);
}

TEST_F(VirtioMmio, reset_clears_everything)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    ASSERT_TRUE(driver.make_queue(0, 8));
    driver.add_status(mmio::driver_ok);
    device.notifier->used_buffers();
    device.take_log();
    driver.write(mmio::status, 0);
    EXPECT_EQ(device.take_log(), "reset ");
    EXPECT_EQ(driver.status(), 0u);
    EXPECT_EQ(driver.read(mmio::interrupt_status), 0u);
    driver.write(mmio::queue_sel, 0);
    EXPECT_EQ(driver.read(mmio::queue_ready), 0u);
    // The features must be negotiated anew.
    driver.add_status(mmio::features_ok);
    EXPECT_EQ(driver.status(), 0u);
}

// ---- Interrupts ----

TEST_F(VirtioMmio, line_is_raised_once_until_acknowledged)
{
    device.notifier->used_buffers();
    device.notifier->used_buffers();
    EXPECT_EQ(line.count(), 1u);
    EXPECT_EQ(driver.acknowledge(), 1u);
    EXPECT_EQ(driver.read(mmio::interrupt_status), 0u);
    device.notifier->used_buffers();
    EXPECT_EQ(line.count(), 2u);
}

TEST_F(VirtioMmio, cause_that_was_not_acknowledged_raises_the_line_again)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    driver.add_status(mmio::driver_ok);
    device.notifier->used_buffers();
    EXPECT_EQ(driver.read(mmio::interrupt_status), 1u);
    device.notifier->config_changed();  // between the handler's read and its write
    EXPECT_EQ(line.count(), 1u);
    driver.write(mmio::interrupt_ack, 1);
    EXPECT_EQ(line.count(), 2u);
    EXPECT_EQ(driver.acknowledge(), 2u);
    EXPECT_EQ(line.count(), 2u);
}

TEST_F(VirtioMmio, config_change_counts_generations)
{
    const uint32_t before = driver.read(mmio::config_generation);
    device.notifier->config_changed();
    EXPECT_EQ(line.count(), 0u) << "nobody listens before DRIVER_OK";
    EXPECT_NE(driver.read(mmio::config_generation), before);
    ASSERT_TRUE(driver.negotiate(version_1));
    driver.add_status(mmio::driver_ok);
    device.notifier->config_changed();
    EXPECT_EQ(line.count(), 1u);
}

TEST_F(VirtioMmio, needs_reset_is_told_once)
{
    ASSERT_TRUE(driver.negotiate(version_1));
    driver.add_status(mmio::driver_ok);
    device.notifier->needs_reset();
    device.notifier->needs_reset();
    EXPECT_EQ(mmio.errors().resets, 1u);
    EXPECT_EQ(line.count(), 1u);
}

// ---- Accesses ----

TEST_F(VirtioMmio, config_space_in_all_widths)
{
    mmio.write(mmio::config, 0x8877665544332211, 8);
    EXPECT_EQ(mmio.read(mmio::config, 8), 0x8877665544332211u);
    EXPECT_EQ(mmio.read(mmio::config + 4, 4), 0x88776655u);
    EXPECT_EQ(mmio.read(mmio::config + 2, 2), 0x4433u);
    EXPECT_EQ(mmio.read(mmio::config + 7, 1), 0x88u);
    mmio.write(mmio::config + 1, 0xabcd, 1);
    EXPECT_EQ(mmio.read(mmio::config, 4), 0x4433cd11u);
    EXPECT_EQ(mmio.read(mmio::config + 0xf8, 8), 0u) << "behind the device's configuration";
    EXPECT_EQ(mmio.errors().access, 0u);
}

TEST_F(VirtioMmio, bad_accesses_are_counted_and_harmless)
{
    uint64_t count = 0;
    for (const unsigned size : {0u, 1u, 2u, 3u, 8u, 16u, ~0u}) {
        mmio.write(mmio::status, 1, size);
        EXPECT_EQ(mmio.read(0, size), 0u);
        count += 2;
    }
    for (const uint64_t offset :
         {uint64_t{0x01}, uint64_t{0xd0}, uint64_t{0x200}, ~uint64_t{3}, uint64_t{1} << 40}) {
        EXPECT_EQ(mmio.read(offset, 4), 0u);
        mmio.write(offset, 1, 4);
        count += 2;
    }
    EXPECT_EQ(mmio.read(mmio::config + 1, 4), 0u);  // unaligned
    EXPECT_EQ(mmio.read(mmio::config, 3), 0u);
    count += 2;
    EXPECT_EQ(mmio.errors().access, count);
    EXPECT_EQ(driver.status(), 0u);
}

TEST_F(VirtioMmio, read_only_registers_ignore_writes)
{
    driver.write(0x000, 0);
    driver.write(mmio::queue_size_max, 1);
    driver.write(mmio::interrupt_status, 1);
    driver.write(mmio::config_generation, 9);
    EXPECT_EQ(driver.read(0x000), 0x74726976u);
    EXPECT_EQ(driver.read(mmio::queue_size_max), 64u);
    EXPECT_EQ(driver.read(mmio::interrupt_status), 0u);
    EXPECT_EQ(driver.read(mmio::config_generation), 0u);
    EXPECT_EQ(mmio.errors().access, 4u);
}

TEST_F(VirtioMmio, no_shared_memory_regions)
{
    driver.write(0x0ac, 0);
    EXPECT_EQ(driver.read(0x0b0), ~0u);
    EXPECT_EQ(driver.read(0x0b4), ~0u);
}

TEST_F(VirtioMmio, notification_of_any_queue_number_is_passed_on_without_wrapping)
{
    driver.kick(0x10001);
    EXPECT_EQ(device.take_log(), "notify65535 ");
}

}  // namespace
}  // namespace lkl::test
