// SPDX-License-Identifier: GPL-2.0-only
// The block device: what a correct driver gets, and what a wrong one does not.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <numeric>
#include <optional>
#include <thread>

#include "block_rig.hpp"

namespace lkl::test {
namespace {

constexpr uint64_t capacity = 1 << 20;
constexpr uint64_t sectors = capacity / 512;

// Bytes that differ from sector to sector.
void fill(std::byte* at, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; ++i)
        at[i] = static_cast<std::byte>(i * 7 + i / 512 * 13 + seed);
}

BlockInfo volatile_info()
{
    BlockInfo info;
    info.capacity = capacity;
    info.discard = true;
    info.write_zeroes = true;
    return info;
}

class VirtioBlock : public testing::Test {
protected:
    BlockRig rig{memory_disk(capacity, {false, "serial-0123456789ab", 512})};
};

TEST_F(VirtioBlock, writes_and_reads_back)
{
    rig.start();
    const uint64_t data = rig.arena.allocate(8192, 512), back = rig.arena.allocate(8192, 512);
    fill(rig.arena.at(data), 8192, 1);
    EXPECT_EQ(rig.run(rig.make(data, 8192, false), blk_out, 100), blk_ok);
    EXPECT_EQ(rig.last_length, 1u) << "the status alone was written";
    EXPECT_EQ(rig.run(rig.make(back, 8192, true), blk_in, 100), blk_ok);
    EXPECT_EQ(rig.last_length, 8193u);
    EXPECT_EQ(std::memcmp(rig.arena.at(data), rig.arena.at(back), 8192), 0);
    // One sector further on.
    EXPECT_EQ(rig.run(rig.make(back, 512, true), blk_in, 101), blk_ok);
    EXPECT_EQ(std::memcmp(rig.arena.at(data + 512), rig.arena.at(back), 512), 0);

    const auto statistics = rig.device.statistics();
    EXPECT_EQ(statistics.reads, 2u);
    EXPECT_EQ(statistics.writes, 1u);
    EXPECT_EQ(statistics.bytes_read, 8704u);
    EXPECT_EQ(statistics.bytes_written, 8192u);
    EXPECT_EQ(statistics.bad_requests + statistics.bad_chains + statistics.failed, 0u);
}

TEST_F(VirtioBlock, works_without_indirect_descriptors_and_event_index)
{
    rig.start(virtio::feature_indirect | virtio::feature_event_index);
    const uint64_t data = rig.arena.allocate(512, 512);
    fill(rig.arena.at(data), 512, 2);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(rig.run(rig.make(data, 512, false), blk_out, 5), blk_ok);
        EXPECT_EQ(rig.run(rig.make(data, 512, true), blk_in, 5), blk_ok);
    }
    EXPECT_EQ(rig.line.count(), 200u);
}

TEST_F(VirtioBlock, takes_254_segments)
{
    rig.start();
    EXPECT_EQ(rig.driver.config<uint32_t>(12), 254u);
    // Two bytes apart, so that they cannot be joined; 512 divides the sum.
    std::vector<Buffer> out, in;
    const uint64_t area = rig.arena.allocate(2 * 254 * 1024);
    fill(rig.arena.at(area), 254 * 1024, 3);
    for (uint64_t i = 0; i < 254; ++i) {
        out.push_back({area + i * 1024, 512, false});
        in.push_back({area + (254 + i) * 1024, 512, true});
    }
    EXPECT_EQ(rig.run(rig.make(out), blk_out, 7), blk_ok);
    EXPECT_EQ(rig.run(rig.make(in), blk_in, 7), blk_ok);
    for (size_t i = 0; i < 254; ++i)
        ASSERT_EQ(std::memcmp(rig.arena.at(out[i].address), rig.arena.at(in[i].address), 512), 0);
}

// 2.7.4: the framing of a request over descriptors is the driver's choice.
TEST_F(VirtioBlock, framing_does_not_matter)
{
    rig.start();
    auto& arena = rig.arena;
    auto& queue = *rig.queues[0];
    const uint64_t area = arena.allocate(4096);
    arena.put<uint32_t>(area, blk_out);
    arena.put<uint32_t>(area + 4, 0);
    arena.put<uint64_t>(area + 8, 3);
    fill(arena.at(area + 16), 1024, 4);
    // Header in three pieces, the last one with data; odd pieces of data.
    const std::vector<Buffer> write{{area, 1, false},         {area + 1, 8, false},
                                    {area + 9, 100, false},   {area + 109, 1, false},
                                    {area + 110, 930, false}, {area + 2000, 1, true}};
    // Away from their neighbours, which the device would join.
    std::vector<Buffer> scattered;
    for (const Buffer& buffer : write) {
        const uint64_t copy = arena.allocate(buffer.length + 1, 1);
        std::memcpy(arena.at(copy), arena.at(buffer.address), buffer.length);
        scattered.push_back({copy, buffer.length, buffer.writable});
    }
    queue.add(scattered);
    rig.driver.kick(0);
    ASSERT_TRUE(queue.get());
    EXPECT_EQ(arena.get<uint8_t>(scattered.back().address), blk_ok);

    // Data and status in one buffer.
    const uint64_t both = arena.allocate(1025);
    const uint64_t header = arena.allocate(16);
    arena.put<uint32_t>(header, blk_in);
    arena.put<uint64_t>(header + 8, 3);
    queue.add(std::vector<Buffer>{{header, 16, false}, {both, 1025, true}});
    rig.driver.kick(0);
    const auto used = queue.get();
    ASSERT_TRUE(used);
    EXPECT_EQ(used->length, 1025u);
    EXPECT_EQ(arena.get<uint8_t>(both + 1024), blk_ok);
    EXPECT_EQ(std::memcmp(arena.at(both), arena.at(area + 16), 1024), 0);
}

TEST_F(VirtioBlock, gives_its_serial_number)
{
    rig.start();
    const uint64_t id = rig.arena.allocate(20);
    std::memset(rig.arena.at(id), 0xff, 20);
    EXPECT_EQ(rig.run(rig.make(id, 20, true), blk_get_id, 0), blk_ok);
    EXPECT_EQ(rig.last_length, 21u);
    EXPECT_EQ(std::memcmp(rig.arena.at(id), "serial-0123456789ab\0", 20), 0);
    // Shorter and scattered.
    std::memset(rig.arena.at(id), 0xff, 20);
    EXPECT_EQ(rig.run(rig.make({{id, 3, true}, {id + 8, 4, true}}), blk_get_id, 0), blk_ok);
    EXPECT_EQ(std::memcmp(rig.arena.at(id), "ser\xff", 4), 0);
    EXPECT_EQ(std::memcmp(rig.arena.at(id + 8), "ial-\xff", 5), 0);
}

TEST_F(VirtioBlock, write_zeroes_and_discard)
{
    rig.start();
    const uint64_t data = rig.arena.allocate(4096), range = rig.arena.allocate(16);
    fill(rig.arena.at(data), 4096, 5);
    ASSERT_EQ(rig.run(rig.make(data, 4096, false), blk_out, 0), blk_ok);
    rig.arena.put(range, BlkRange{1, 2, 0});
    EXPECT_EQ(rig.run(rig.make(range, 16, false), blk_do_write_zeroes, 0), blk_ok);
    rig.arena.put(range, BlkRange{4, 1, 1});
    EXPECT_EQ(rig.run(rig.make(range, 16, false), blk_do_write_zeroes, 0), blk_ok);
    rig.arena.put(range, BlkRange{6, 2, 0});
    EXPECT_EQ(rig.run(rig.make(range, 16, false), blk_do_discard, 0), blk_ok);
    const uint64_t back = rig.arena.allocate(4096);
    ASSERT_EQ(rig.run(rig.make(back, 4096, true), blk_in, 0), blk_ok);
    for (const uint64_t sector : {1, 2, 4, 6, 7})
        std::memset(rig.arena.at(data + sector * 512), 0, 512);
    EXPECT_EQ(std::memcmp(rig.arena.at(data), rig.arena.at(back), 4096), 0);
}

TEST_F(VirtioBlock, serves_what_was_queued_before_it_was_started)
{
    ASSERT_TRUE(rig.driver.negotiate(rig.driver.offered()));
    rig.queues.push_back(rig.driver.make_queue(0, 8));
    const uint64_t data = rig.arena.allocate(512);
    const auto request = rig.make(data, 512, true);
    rig.add(request, blk_in, 0);
    rig.driver.kick(0);
    EXPECT_EQ(rig.status(request), blk_none) << "3.1.1: not before DRIVER_OK";
    rig.driver.add_status(mmio::driver_ok);
    EXPECT_EQ(rig.status(request), blk_ok);
}

TEST_F(VirtioBlock, one_interrupt_for_many_requests)
{
    rig.start();
    const uint64_t data = rig.arena.allocate(512 * 20);
    std::vector<BlockRig::Request> requests;
    for (uint64_t i = 0; i < 20; ++i) {
        requests.push_back(rig.make(data + i * 512, 512, true));
        rig.add(requests.back(), blk_in, i);
    }
    rig.driver.kick(0);
    EXPECT_EQ(rig.line.count(), 1u);
    for (const auto& request : requests) {
        EXPECT_EQ(rig.status(request), blk_ok);
        EXPECT_TRUE(rig.queues[0]->get());
    }
}

TEST_F(VirtioBlock, notification_of_a_queue_that_does_not_exist)
{
    rig.start();
    for (const uint32_t queue : {4u, 0xffffu, 0x10000u, ~0u})
        rig.driver.kick(queue);
    EXPECT_EQ(rig.device.statistics().bad_notifications, 4u);
    rig.driver.kick(3);  // exists, but was never enabled
    EXPECT_EQ(rig.device.statistics().bad_notifications, 4u);
    EXPECT_EQ(rig.driver.status() & mmio::needs_reset, 0u);
}

TEST_F(VirtioBlock, survives_reset_and_starts_again)
{
    for (int i = 0; i < 20; ++i) {
        rig.start();
        const uint64_t data = rig.arena.allocate(512);
        EXPECT_EQ(rig.run(rig.make(data, 512, true), blk_in, 0), blk_ok);
    }
    rig.driver.write(mmio::status, 0);
    rig.driver.kick(0);
}

// ---- Requests that are answered with an error ----

struct BadRequest {
    const char* name;
    uint32_t type;
    uint64_t sector;
    std::vector<uint32_t> readable;  // lengths of data buffers
    std::vector<uint32_t> writable;
    uint8_t status;
};

class VirtioBlockBadRequest : public VirtioBlock, public testing::WithParamInterface<BadRequest> {};

TEST_P(VirtioBlockBadRequest, is_answered)
{
    rig.start();
    const BadRequest& bad = GetParam();
    std::vector<Buffer> data;
    for (const uint32_t length : bad.readable)
        data.push_back({rig.arena.allocate(length), length, false});
    for (const uint32_t length : bad.writable)
        data.push_back({rig.arena.allocate(length), length, true});
    EXPECT_EQ(rig.run(rig.make(data), bad.type, bad.sector), bad.status);
    EXPECT_EQ(rig.device.statistics().bad_requests, 1u);
    EXPECT_EQ(rig.driver.status() & mmio::needs_reset, 0u);
    // The device goes on.
    EXPECT_EQ(rig.run(rig.make(rig.arena.allocate(512), 512, true), blk_in, 0), blk_ok);
}

INSTANTIATE_TEST_SUITE_P(
    All, VirtioBlockBadRequest,
    testing::Values(
        BadRequest{"read_of_no_bytes", blk_in, 0, {}, {}, blk_io_error},
        BadRequest{"read_of_a_part_of_a_sector", blk_in, 0, {}, {511}, blk_io_error},
        BadRequest{"read_of_a_sector_and_a_bit", blk_in, 0, {}, {512, 1}, blk_io_error},
        BadRequest{"read_behind_the_end", blk_in, sectors, {}, {512}, blk_io_error},
        BadRequest{"read_over_the_end", blk_in, sectors - 1, {}, {1024}, blk_io_error},
        BadRequest{"read_at_a_sector_that_overflows", blk_in, ~0ull >> 9, {}, {1024}, blk_io_error},
        BadRequest{"read_at_the_last_sector_of_all", blk_in, ~0ull, {}, {512}, blk_io_error},
        BadRequest{"read_with_data_to_write", blk_in, 0, {512}, {512}, blk_io_error},
        BadRequest{"write_of_no_bytes", blk_out, 0, {}, {}, blk_io_error},
        BadRequest{"write_over_the_end", blk_out, sectors - 1, {1024}, {}, blk_io_error},
        BadRequest{"write_of_a_part_of_a_sector", blk_out, 0, {100}, {}, blk_io_error},
        BadRequest{
            "write_at_a_sector_that_overflows", blk_out, 1ull << 55, {512}, {}, blk_io_error},
        BadRequest{"discard_without_a_range", blk_do_discard, 0, {}, {}, blk_io_error},
        BadRequest{"discard_with_half_a_range", blk_do_discard, 0, {8}, {}, blk_io_error},
        BadRequest{"discard_with_two_ranges", blk_do_discard, 0, {32}, {}, blk_io_error},
        BadRequest{"serial_number_without_room", blk_get_id, 0, {}, {}, blk_io_error},
        BadRequest{"type_that_does_not_exist", 99, 0, {}, {}, blk_unsupported},
        BadRequest{"type_that_is_negative", ~0u, 0, {512}, {}, blk_unsupported},
        BadRequest{"scsi_command", 2, 0, {512}, {512}, blk_unsupported}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(VirtioBlock, bad_ranges_are_answered)
{
    rig.start();
    const uint64_t range = rig.arena.allocate(16);
    const auto request = rig.make(range, 16, false);
    const auto run = [&](uint32_t type, BlkRange value) {
        rig.arena.put(range, value);
        return rig.run(request, type, 0);
    };
    for (const uint32_t type : {blk_do_discard, blk_do_write_zeroes}) {
        EXPECT_EQ(run(type, {0, 0, 0}), blk_io_error) << "empty";
        EXPECT_EQ(run(type, {sectors, 1, 0}), blk_io_error) << "behind the end";
        EXPECT_EQ(run(type, {sectors - 1, 2, 0}), blk_io_error) << "over the end";
        EXPECT_EQ(run(type, {~0ull, 1, 0}), blk_io_error) << "overflow";
        EXPECT_EQ(run(type, {0, ~0u, 0}), blk_io_error) << "too long";
        EXPECT_EQ(run(type, {0, 1, 2}), blk_unsupported) << "a flag that does not exist";
    }
    EXPECT_EQ(run(blk_do_discard, {0, 1, 1}), blk_unsupported) << "5.2.6.2: no unmap here";
    EXPECT_EQ(rig.device.statistics().bad_requests, 13u);
}

TEST_F(VirtioBlock, features_that_were_not_agreed_on_are_unsupported)
{
    rig.start(blk_discard | blk_write_zeroes);
    const uint64_t range = rig.arena.allocate(16);
    rig.arena.put(range, BlkRange{0, 1, 0});
    EXPECT_EQ(rig.run(rig.make(range, 16, false), blk_do_discard, 0), blk_unsupported);
    EXPECT_EQ(rig.run(rig.make(range, 16, false), blk_do_write_zeroes, 0), blk_unsupported);
}

TEST(VirtioBlockReadOnly, refuses_every_change)
{
    BlockRig rig(memory_disk(capacity, {true, "", 512}));
    const uint64_t offered = rig.driver.offered();
    EXPECT_TRUE(offered & blk_read_only);
    EXPECT_FALSE(offered & (blk_discard | blk_write_zeroes));
    rig.start();
    const uint64_t data = rig.arena.allocate(512);
    fill(rig.arena.at(data), 512, 6);
    EXPECT_EQ(rig.run(rig.make(data, 512, false), blk_out, 0), blk_io_error);
    EXPECT_EQ(rig.run(rig.make(data, 512, true), blk_in, 0), blk_ok);
    EXPECT_EQ(rig.arena.get<uint64_t>(data), 0u);
}

// ---- Chains that cannot be answered ----

class VirtioBlockBroken : public VirtioBlock {
protected:
    void SetUp() override { rig.start(); }
    void expect_broken()
    {
        rig.driver.kick(0);
        EXPECT_FALSE(rig.queues[0]->get());
        EXPECT_EQ(rig.device.statistics().bad_chains, 1u);
        EXPECT_TRUE(rig.driver.status() & mmio::needs_reset);
        EXPECT_EQ(rig.driver.acknowledge(), 2u) << "a configuration change tells the driver";
        // Further notifications change nothing.
        rig.driver.kick(0);
        EXPECT_EQ(rig.device.statistics().bad_chains, 1u);
        // A reset helps.
        rig.start();
        EXPECT_EQ(rig.driver.status() & mmio::needs_reset, 0u);
        const uint64_t data = rig.arena.allocate(512);
        EXPECT_EQ(rig.run(rig.make(data, 512, true), blk_in, 0), blk_ok);
    }
};

TEST_F(VirtioBlockBroken, no_place_for_the_status)
{
    rig.queues[0]->add(std::vector<Buffer>{{rig.arena.allocate(16), 16, false}});
    expect_broken();
}

TEST_F(VirtioBlockBroken, empty_chain)
{
    rig.queues[0]->add(std::vector<Buffer>{{4096, 0, true}});
    expect_broken();
}

TEST_F(VirtioBlockBroken, ring_level_fault)
{
    rig.queues[0]->make_available(0xffff);
    expect_broken();
}

TEST_F(VirtioBlock, header_that_is_too_short_is_answered)
{
    rig.start();
    const uint64_t header = rig.arena.allocate(16), status = rig.arena.allocate(1);
    rig.arena.put<uint8_t>(status, blk_none);
    rig.queues[0]->add(std::vector<Buffer>{{header, 15, false}, {status, 1, true}});
    rig.driver.kick(0);
    EXPECT_TRUE(rig.queues[0]->get());
    EXPECT_EQ(rig.arena.get<uint8_t>(status), blk_io_error);
}

// ---- Configuration ----

TEST(VirtioBlockConfig, describes_the_disk)
{
    BlockInfo info;
    info.capacity = (3ull << 41) + 512;  // 6 TiB and a sector
    info.logical_block_size = 1024;
    info.physical_block_size = 4096;
    info.minimum_io_size = 8192;
    info.optimal_io_size = 1 << 20;
    info.discard_granularity = 65536;
    info.discard = info.write_zeroes = true;
    BlockRig rig(std::make_unique<HeldDisk>(info), {3, 64});
    auto& driver = rig.driver;
    const uint64_t offered = driver.offered();
    EXPECT_EQ(offered & 0xffffff, blk_seg_max | blk_block_size | blk_flush | blk_topology |
                                      blk_config_wce | blk_queues | blk_discard | blk_write_zeroes);
    EXPECT_EQ(driver.config<uint64_t>(0), (6ull << 31) + 1);
    EXPECT_EQ(driver.config<uint32_t>(12), 254u);
    EXPECT_EQ(driver.config<uint32_t>(20), 1024u);
    EXPECT_EQ(driver.config<uint8_t>(24), 2u);
    EXPECT_EQ(driver.config<uint16_t>(26), 8u);
    EXPECT_EQ(driver.config<uint32_t>(28), 1024u);
    EXPECT_EQ(driver.config<uint16_t>(34), 3u);
    EXPECT_EQ(driver.config<uint32_t>(36), 4u << 20);  // 2 GiB
    EXPECT_EQ(driver.config<uint32_t>(40), 1u);
    EXPECT_EQ(driver.config<uint32_t>(44), 128u);
    EXPECT_EQ(driver.config<uint32_t>(48), 128u << 10);  // 64 MiB
    EXPECT_EQ(driver.config<uint32_t>(52), 1u);
    EXPECT_EQ(driver.config<uint8_t>(56), 1u);
    EXPECT_EQ(driver.config<uint32_t>(60), 0u);
    driver.write(mmio::queue_sel, 2);
    EXPECT_EQ(driver.read(mmio::queue_size_max), 64u);
    driver.write(mmio::queue_sel, 3);
    EXPECT_EQ(driver.read(mmio::queue_size_max), 0u);
}

TEST(VirtioBlockConfig, writes_do_not_change_what_is_fixed)
{
    BlockRig rig(memory_disk(capacity));
    rig.start();
    for (uint64_t offset = 0; offset < 64; ++offset)
        rig.mmio.write(mmio::config + offset, 0xff, 1);
    EXPECT_EQ(rig.driver.config<uint64_t>(0), sectors);
    const uint64_t data = rig.arena.allocate(512);
    EXPECT_EQ(rig.run(rig.make(data, 512, true), blk_in, sectors), blk_io_error);
}

TEST(VirtioBlockLarge, reaches_sectors_past_2_tib)
{
    BlockInfo info;
    info.capacity = 1ull << 62;
    auto held = std::make_unique<HeldDisk>(info);
    HeldDisk& disk = *held;
    BlockRig rig(std::move(held));
    rig.start();
    const uint64_t data = rig.arena.allocate(512);
    const uint64_t last = info.capacity / 512 - 1;
    rig.submit(rig.make(data, 512, true), blk_in, last);
    ASSERT_EQ(disk.held(), 1u);
    EXPECT_EQ(disk.request(0).offset, last * 512);
    disk.finish(0, 0);
    EXPECT_TRUE(rig.queues[0]->get());
}

// ---- Cache ----

struct CacheCase {
    const char* name;
    uint64_t without;
    int write_back;  // -1: left alone
    bool durable;
};

class VirtioBlockCache : public testing::TestWithParam<CacheCase> {};

TEST_P(VirtioBlockCache, decides_whether_writes_are_durable)
{
    auto held = std::make_unique<HeldDisk>(volatile_info());
    HeldDisk& disk = *held;
    BlockRig rig(std::move(held));
    rig.start(GetParam().without);
    if (GetParam().write_back >= 0)
        rig.mmio.write(mmio::config + 32, static_cast<uint64_t>(GetParam().write_back), 1);
    EXPECT_EQ(rig.driver.config<uint8_t>(32), GetParam().durable ? 0 : 1);
    rig.submit(rig.make(rig.arena.allocate(512), 512, false), blk_out, 0);
    ASSERT_EQ(disk.held(), 1u);
    EXPECT_EQ(disk.request(0).durable, GetParam().durable);
    disk.finish(0, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, VirtioBlockCache,
    testing::Values(CacheCase{"driver_that_flushes", 0, -1, false},
                    CacheCase{"driver_that_cannot_flush", blk_flush | blk_config_wce, -1, true},
                    CacheCase{"only_the_switch_is_known", blk_flush, -1, true},
                    CacheCase{"switched_off", 0, 0, true},
                    CacheCase{"switched_on", blk_flush, 1, false},
                    CacheCase{"switch_was_not_agreed_on", blk_config_wce, 0, false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(VirtioBlockFlush, reaches_the_back_end)
{
    auto held = std::make_unique<HeldDisk>(volatile_info());
    HeldDisk& disk = *held;
    BlockRig rig(std::move(held));
    rig.start();
    const auto request = rig.make({});
    rig.submit(request, blk_do_flush, 0);
    ASSERT_EQ(disk.held(), 1u);
    EXPECT_EQ(disk.request(0).op, BlockOp::flush);
    EXPECT_EQ(rig.status(request), blk_none) << "complete before the host said so";
    disk.finish(0, -EIO);
    EXPECT_EQ(rig.status(request), blk_io_error);
}

// What completed before the cache was turned off is durable when the register's write returns.
class VirtioBlockCacheOff : public testing::TestWithParam<bool> {
protected:
    VirtioBlockCacheOff() { rig.start(); }
    ~VirtioBlockCacheOff() override
    {
        if (switcher_.joinable())
            switcher_.join();
    }

    BlockRig::Request write()
    {
        const auto request = rig.make(rig.arena.allocate(512), 512, false);
        rig.submit(request, blk_out, 0);
        EXPECT_EQ(disk->held(), 1u);
        return request;
    }
    // On a thread of its own, because it may wait.
    void turn_off()
    {
        switcher_ = std::thread([this] {
            rig.mmio.write(mmio::config + 32, 0, 1);
            off_ = true;
        });
    }
    // What the disk is asked for next, if that happens before the register's write returns.
    std::optional<BlockOp> next()
    {
        while (disk->held() == 0 && !off_)
            std::this_thread::yield();
        return disk->held() != 0 ? std::optional(disk->request(0).op) : std::nullopt;
    }
    void finish(int result)
    {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        EXPECT_FALSE(off_) << "did not wait";
        disk->finish(0, result);  // the thread that waits has to reap
    }
    void wait_off() { switcher_.join(); }

    HeldDisk* disk = new HeldDisk(volatile_info(), GetParam());
    BlockRig rig{std::unique_ptr<BlockBackend>(disk)};

private:
    std::atomic<bool> off_{false};
    std::thread switcher_;
};

INSTANTIATE_TEST_SUITE_P(, VirtioBlockCacheOff, testing::Bool(), [](const auto& info) {
    return std::string(info.param ? "polled" : "own_threads");
});

TEST_P(VirtioBlockCacheOff, waits_for_writes_in_flight_and_flushes_them)
{
    const auto request = write();
    turn_off();
    finish(0);
    ASSERT_EQ(next(), BlockOp::flush);
    EXPECT_EQ(rig.status(request), blk_ok);
    finish(0);
    wait_off();
    EXPECT_EQ(rig.driver.config<uint8_t>(32), 0u);
    write();
    EXPECT_TRUE(disk->request(0).durable);
    disk->finish(0, 0);
}

TEST_P(VirtioBlockCacheOff, stays_on_when_what_was_written_cannot_be_made_durable)
{
    write();
    disk->finish(0, 0);
    rig.device.reap();
    turn_off();
    ASSERT_EQ(next(), BlockOp::flush);
    finish(-EIO);
    wait_off();
    EXPECT_EQ(rig.driver.config<uint8_t>(32), 1u) << "the driver goes on flushing, and is told";
    write();
    EXPECT_FALSE(disk->request(0).durable);
    disk->finish(0, 0);
}

TEST_P(VirtioBlockCacheOff, needs_no_flush_where_nothing_was_written_since_the_last_one)
{
    write();
    disk->finish(0, 0);
    rig.device.reap();
    rig.submit(rig.make({}), blk_do_flush, 0);
    ASSERT_EQ(disk->held(), 1u);
    disk->finish(0, 0);
    rig.device.reap();
    turn_off();
    EXPECT_EQ(next(), std::nullopt);
    wait_off();
    EXPECT_EQ(rig.driver.config<uint8_t>(32), 0u);
}

// ---- Completions ----

class VirtioBlockHeld : public testing::TestWithParam<bool> {
protected:
    VirtioBlockHeld() { rig.start(); }

    std::vector<BlockRig::Request> submit(size_t count, uint64_t first = 0)
    {
        std::vector<BlockRig::Request> requests;
        for (size_t i = 0; i < count; ++i) {
            requests.push_back(rig.make(rig.arena.allocate(512), 512, true));
            rig.add(requests.back(), blk_in, first + i);
        }
        if (rig.queues[0]->must_kick())
            rig.driver.kick(0);
        return requests;
    }
    void finish(size_t index, int result)
    {
        disk->finish(index, result);
        if (GetParam())
            rig.device.reap();
    }

    HeldDisk* disk = new HeldDisk(volatile_info(), GetParam());
    BlockRig rig{std::unique_ptr<BlockBackend>(disk)};
};

TEST_P(VirtioBlockHeld, a_notification_is_one_batch)
{
    submit(20);
    EXPECT_EQ(disk->batches(), std::vector<size_t>{20});
    while (disk->held())
        finish(0, 0);
}

TEST_P(VirtioBlockHeld, completes_in_any_order)
{
    const auto requests = submit(3);
    finish(1, 0);
    EXPECT_EQ(rig.status(requests[0]), blk_none);
    EXPECT_EQ(rig.status(requests[1]), blk_ok);
    finish(1, -EIO);
    EXPECT_EQ(rig.status(requests[2]), blk_io_error);
    finish(0, -EOPNOTSUPP);
    EXPECT_EQ(rig.status(requests[0]), blk_unsupported);
    EXPECT_EQ(rig.device.statistics().failed, 2u);
    const auto used = rig.queues[0]->get();
    ASSERT_TRUE(used);
    EXPECT_EQ(used->length, 513u);
    EXPECT_EQ(rig.queues[0]->get()->length, 0u) << "a failed read wrote nothing for sure";
}

TEST_P(VirtioBlockHeld, full_queue_is_served_again_and_again)
{
    for (int round = 0; round < 5; ++round) {
        ASSERT_EQ(submit(32).size(), 32u);
        ASSERT_EQ(disk->held(), 32u);
        while (disk->held())
            finish(disk->held() / 2, 0);
        for (int i = 0; i < 32; ++i)
            ASSERT_TRUE(rig.queues[0]->get());
        rig.queues[0]->enable_interrupts();
    }
}

TEST_P(VirtioBlockHeld, more_heads_than_the_queue_has_is_a_fault)
{
    submit(32);
    rig.queues[0]->make_available(0);  // all are in flight
    rig.driver.kick(0);
    EXPECT_EQ(rig.device.statistics().bad_chains, 1u);
    while (disk->held())
        finish(0, 0);
}

TEST_P(VirtioBlockHeld, reset_waits_for_what_is_in_flight)
{
    const auto requests = submit(4);
    std::atomic<bool> reset{false};
    std::thread resetter([&] {
        rig.driver.write(mmio::status, 0);
        reset = true;
    });
    for (int i = 0; i < 4; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        EXPECT_FALSE(reset) << "with " << disk->held() << " requests in flight";
        disk->finish(0, 0);  // the resetting thread itself has to reap
    }
    resetter.join();
    EXPECT_EQ(rig.driver.status(), 0u);
    rig.start();
}

TEST_P(VirtioBlockHeld, queue_reset_and_disabling_wait_as_well)
{
    submit(1);
    std::thread finisher([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        disk->finish(0, 0);
    });
    rig.driver.write(mmio::queue_sel, 0);
    rig.driver.write(mmio::queue_reset, 1);
    EXPECT_EQ(disk->held(), 0u);
    finisher.join();
    EXPECT_EQ(rig.driver.read(mmio::queue_ready), 0u);
}

TEST_P(VirtioBlockHeld, drain_waits_without_stopping_the_queue)
{
    submit(2);
    std::thread finisher([&] {
        for (int i = 0; i < 2; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            disk->finish(0, 0);
        }
    });
    rig.device.drain();
    EXPECT_EQ(disk->held(), 0u);
    finisher.join();
    submit(1);
    EXPECT_EQ(disk->held(), 1u);
    finish(0, 0);
}

TEST_P(VirtioBlockHeld, destructor_waits)
{
    auto* const held = new HeldDisk(volatile_info(), GetParam());
    auto local = std::make_unique<BlockRig>(std::unique_ptr<BlockBackend>(held));
    local->start();
    for (uint64_t i = 0; i < 3; ++i)
        local->submit(local->make(local->arena.allocate(512), 512, true), blk_in, i);
    std::atomic<int> finished{0};
    std::thread finisher([&] {
        for (int i = 0; i < 3; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            ++finished;
            held->finish(0, 0);
        }
    });
    local.reset();
    EXPECT_EQ(finished, 3);
    finisher.join();
}

INSTANTIATE_TEST_SUITE_P(, VirtioBlockHeld, testing::Bool(), [](const auto& info) {
    return std::string(info.param ? "polled" : "own_threads");
});

TEST(VirtioBlockReap, one_interrupt_for_all_that_is_reaped)
{
    auto held = std::make_unique<HeldDisk>(volatile_info(), true);
    HeldDisk& disk = *held;
    BlockRig rig(std::move(held));
    // Without the event index each element on its own would raise the line.
    rig.start(virtio::feature_event_index);
    for (int i = 0; i < 8; ++i)
        rig.submit(rig.make(rig.arena.allocate(512), 512, true), blk_in, 0);
    while (disk.held())
        disk.finish(0, 0);
    EXPECT_EQ(rig.line.count(), 0u);
    EXPECT_EQ(rig.device.reap(), 8u);
    EXPECT_EQ(rig.line.count(), 1u);
    rig.driver.acknowledge();
    EXPECT_EQ(rig.device.reap(), 0u);
    EXPECT_EQ(rig.line.count(), 1u);
}

TEST(VirtioBlockQueues, are_independent)
{
    auto held = std::make_unique<HeldDisk>(volatile_info());
    HeldDisk& disk = *held;
    BlockRig rig(std::move(held), {2, 64});
    rig.start(0, 16, 2);
    const auto a = rig.make(rig.arena.allocate(512), 512, true);
    const auto b = rig.make(rig.arena.allocate(512), 512, true);
    rig.submit(a, blk_in, 0, 0);
    rig.submit(b, blk_in, 0, 1);
    disk.finish(1, 0);
    EXPECT_TRUE(rig.queues[1]->get());
    EXPECT_FALSE(rig.queues[0]->get());
    // A fault in one leaves the other alone, until the driver resets the device.
    rig.queues[1]->make_available(999);
    rig.driver.kick(1);
    disk.finish(0, 0);
    EXPECT_TRUE(rig.queues[0]->get());
}

}  // namespace
}  // namespace lkl::test
