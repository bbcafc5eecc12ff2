// SPDX-License-Identifier: GPL-2.0-only
// Memory disks and the copy-on-write layer.
#include <cerrno>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include <lkl/disk.hpp>

#include "test_disks.hpp"

namespace lkl::test {
namespace {

using Bytes = std::vector<unsigned char>;
constexpr size_t capacity = 256 << 10;

class DiskOverlay : public testing::Test {
protected:
    // Over a read-only disk in `base`.
    void make(OverlayOptions options = {})
    {
        auto under = make_memory_disk(std::as_writable_bytes(std::span(base)), {true, "base", 512});
        ASSERT_TRUE(under);
        auto made = make_overlay_disk(std::move(*under), options);
        ASSERT_TRUE(made);
        disk = std::move(*made);
    }
    int write(uint64_t offset, size_t size, unsigned char value)
    {
        Bytes data(size, value);
        return transfer(*disk, BlockOp::write, offset, data.data(), size);
    }
    Bytes read(uint64_t offset, size_t size)
    {
        Bytes data(size, 0xee);
        EXPECT_EQ(transfer(*disk, BlockOp::read, offset, data.data(), size), 0);
        return data;
    }

    Bytes base = Bytes(capacity, 0xb0);
    std::unique_ptr<BlockBackend> disk;
};

TEST_F(DiskOverlay, is_writable_over_a_read_only_disk)
{
    make();
    const BlockInfo info = disk->info();
    EXPECT_EQ(info.capacity, capacity);
    EXPECT_EQ(info.serial, "base");
    EXPECT_FALSE(info.read_only);
    EXPECT_FALSE(info.flush);
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
}

TEST_F(DiskOverlay, merges_sector_by_sector)
{
    make();
    EXPECT_EQ(write(512, 512, 1), 0);
    EXPECT_EQ(write(4096 + 3584, 1024, 2), 0);  // over a block's end
    Bytes expected = base;
    std::fill_n(expected.begin() + 512, 512, 1);
    std::fill_n(expected.begin() + 7680, 1024, 2);
    EXPECT_EQ(read(0, capacity), expected);
    EXPECT_EQ(read(512, 512), Bytes(512, 1)) << "without the base";
    EXPECT_EQ(read(0, 512), Bytes(512, 0xb0));
    EXPECT_EQ(base, Bytes(capacity, 0xb0)) << "the base was written to";
}

TEST_F(DiskOverlay, agrees_with_a_copy)
{
    make();
    Bytes shadow = base;
    std::mt19937 random(7);
    for (int i = 0; i < 4000; ++i) {
        const size_t size = 512 * (1 + random() % 40);
        const uint64_t offset = 512 * (random() % ((capacity - size) / 512 + 1));
        if (random() % 2) {
            const auto value = static_cast<unsigned char>(random());
            ASSERT_EQ(write(offset, size, value), 0);
            std::fill_n(shadow.begin() + static_cast<ptrdiff_t>(offset), size, value);
        } else {
            ASSERT_EQ(std::memcmp(read(offset, size).data(), &shadow[offset], size), 0);
        }
    }
    EXPECT_EQ(base, Bytes(capacity, 0xb0));
}

TEST_F(DiskOverlay, odd_buffers)
{
    make();
    Bytes data(1536);
    for (size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<unsigned char>(i);
    WaitRequest out(BlockOp::write, 3584,
                    {{data.data(), 1}, {data.data() + 1, 600}, {data.data() + 601, 935}});
    EXPECT_EQ(run(*disk, out), 0);
    Bytes back(2560, 0);
    WaitRequest in(BlockOp::read, 3072,
                   {{back.data(), 513}, {back.data() + 513, 1}, {back.data() + 514, 2046}});
    EXPECT_EQ(run(*disk, in), 0);
    EXPECT_EQ(Bytes(back.begin(), back.begin() + 512), Bytes(512, 0xb0));
    EXPECT_EQ(Bytes(back.begin() + 512, back.begin() + 2048), data);
    EXPECT_EQ(Bytes(back.begin() + 2048, back.end()), Bytes(512, 0xb0));
}

TEST_F(DiskOverlay, limit_of_memory)
{
    make({3 * 4096 + 100});  // three blocks
    EXPECT_EQ(write(0, 4096, 1), 0);
    EXPECT_EQ(write(8192, 512, 2), 0);
    EXPECT_EQ(write(40960, 512, 3), 0);
    EXPECT_EQ(write(20480, 512, 4), -ENOSPC);
    EXPECT_EQ(write(8704, 512, 5), 0) << "a block that is already there";
    EXPECT_EQ(read(20480, 512), Bytes(512, 0xb0));
    EXPECT_EQ(read(8704, 512), Bytes(512, 5));
}

// A read of the base is under way while the layer changes.
TEST(DiskOverlayHeld, read_finishes_after_a_write)
{
    BlockInfo info;
    info.capacity = capacity;
    auto* const held = new HeldDisk(info);
    auto made = make_overlay_disk(std::unique_ptr<BlockBackend>(held));
    ASSERT_TRUE(made);
    Bytes one(512, 1);
    ASSERT_EQ(transfer(**made, BlockOp::write, 0, one.data(), 512), 0);
    Bytes data(4096, 0);
    WaitRequest read(BlockOp::read, 0, {{data.data(), 4096}});
    BlockRequest* const request = &read;
    (*made)->submit({&request, 1});
    ASSERT_EQ(held->held(), 1u);
    // The base uses the request up, as it may.
    std::memset(held->request(0).iov[0].iov_base, 0xbb, 4096);
    held->request(0).iov = held->request(0).iov.subspan(1);
    held->request(0).offset = held->request(0).length = 0;
    held->finish(0, 0);
    EXPECT_EQ(read.wait(), 0);
    EXPECT_EQ(data[0], 1);
    EXPECT_EQ(data[511], 1);
    EXPECT_EQ(data[512], 0xbb);
    // An error of the base is the request's.
    WaitRequest failing(BlockOp::read, 0, {{data.data(), 4096}});
    BlockRequest* const second = &failing;
    (*made)->submit({&second, 1});
    held->finish(0, -EIO);
    EXPECT_EQ(failing.wait(), -EIO);
}

TEST(DiskOverlayErrors, needs_a_disk)
{
    EXPECT_FALSE(make_overlay_disk(nullptr));
}

TEST(DiskMemory, bad_options)
{
    EXPECT_FALSE(make_memory_disk(0));
    EXPECT_FALSE(make_memory_disk(513));
    EXPECT_FALSE(make_memory_disk(1 << 20, {false, "", 256}));
    EXPECT_FALSE(make_memory_disk(1 << 20, {false, "", 1000}));
    EXPECT_FALSE(make_memory_disk(1 << 20, {false, "123456789012345678901", 512}));
    const auto huge = make_memory_disk(1ull << 62);
    ASSERT_FALSE(huge);
    EXPECT_EQ(huge.error().code, ENOMEM);
}

TEST(DiskMemory, callers_memory_is_the_disk)
{
    Bytes memory(8192, 1);
    auto disk = make_memory_disk(std::as_writable_bytes(std::span(memory)));
    ASSERT_TRUE(disk);
    Bytes data(512, 2);
    EXPECT_EQ(transfer(**disk, BlockOp::write, 512, data.data(), 512), 0);
    EXPECT_EQ(memory[511], 1);
    EXPECT_EQ(memory[512], 2);
    WaitRequest zeroes(BlockOp::write_zeroes, 4096, 4096);
    zeroes.unmap = true;
    EXPECT_EQ(run(**disk, zeroes), 0);
    EXPECT_EQ(memory[8191], 0);
    EXPECT_FALSE((*disk)->info().discard);
}

TEST(DiskInject, fails_the_request_that_is_asked_for)
{
    auto memory = make_memory_disk(1 << 20);
    ASSERT_TRUE(memory);
    unsigned count = 0;
    InjectDisk disk(std::move(*memory), [&](const BlockRequest&) -> std::optional<int> {
        return ++count == 2 ? std::optional(-EIO) : std::nullopt;
    });
    Bytes data(512, 1);
    EXPECT_EQ(transfer(disk, BlockOp::write, 0, data.data(), 512), 0);
    EXPECT_EQ(transfer(disk, BlockOp::write, 0, data.data(), 512), -EIO);
    EXPECT_EQ(transfer(disk, BlockOp::write, 0, data.data(), 512), 0);
}

}  // namespace
}  // namespace lkl::test
