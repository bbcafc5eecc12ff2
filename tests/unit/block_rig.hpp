// SPDX-License-Identifier: GPL-2.0-only
// A block device with a driver attached to it, for tests.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/disk.hpp>
#include <virtio/block/device.hpp>
#include <virtio/mmio.hpp>

#include "fake_driver.hpp"
#include "test_disks.hpp"

namespace lkl::test {

// Feature bits of the device.
constexpr uint64_t blk_seg_max = 1 << 2, blk_read_only = 1 << 5, blk_block_size = 1 << 6,
                   blk_flush = 1 << 9, blk_topology = 1 << 10, blk_config_wce = 1 << 11,
                   blk_queues = 1 << 12, blk_discard = 1 << 13, blk_write_zeroes = 1 << 14;

enum BlkType : uint32_t {
    blk_in = 0,
    blk_out = 1,
    blk_do_flush = 4,
    blk_get_id = 8,
    blk_do_discard = 11,
    blk_do_write_zeroes = 13
};
enum BlkStatus : uint8_t { blk_ok = 0, blk_io_error = 1, blk_unsupported = 2, blk_none = 0xee };

struct BlkRange {
    uint64_t sector;
    uint32_t sectors;
    uint32_t flags;
};

class BlockRig {
public:
    explicit BlockRig(std::unique_ptr<BlockBackend> backend,
                      virtio::BlockDeviceOptions options = {}, uint64_t memory = 4 << 20)
        : arena(memory), device(std::move(backend), arena.memory(), options)
    {
    }

    // Brings the device up with what it offers, but for `without`.
    void start(uint64_t without = 0, uint16_t queue_size = 32, uint16_t queue_count = 1)
    {
        ASSERT_TRUE(driver.negotiate(driver.offered() & ~without));
        queues.clear();
        for (uint16_t i = 0; i < queue_count; ++i) {
            queues.push_back(driver.make_queue(i, queue_size));
            ASSERT_TRUE(queues.back());
        }
        driver.add_status(mmio::driver_ok);
        for (const auto& queue : queues)
            queue->enable_interrupts();
    }

    // A request in the arena; reusable.
    struct Request {
        uint64_t header = 0;
        uint64_t status = 0;
        std::vector<Buffer> data;
    };
    Request make(std::vector<Buffer> data)
    {
        Request request;
        request.header = arena.allocate(16);
        request.status = arena.allocate(1, 1);
        request.data = std::move(data);
        return request;
    }
    Request make(uint64_t address, uint32_t length, bool writable)
    {
        return make({{address, length, writable}});
    }

    // Makes it available; the device is not told.
    std::optional<uint16_t> add(const Request& request, uint32_t type, uint64_t sector,
                                size_t queue = 0)
    {
        arena.put<uint32_t>(request.header, type);
        arena.put<uint32_t>(request.header + 4, 0);
        arena.put<uint64_t>(request.header + 8, sector);
        arena.put<uint8_t>(request.status, blk_none);
        std::vector<Buffer> buffers{{request.header, 16, false}};
        buffers.insert(buffers.end(), request.data.begin(), request.data.end());
        buffers.push_back({request.status, 1, true});
        return queues[queue]->add(buffers);
    }
    // The same, and notifies as Linux does.
    std::optional<uint16_t> submit(const Request& request, uint32_t type, uint64_t sector,
                                   size_t queue = 0)
    {
        const auto head = add(request, type, sector, queue);
        if (head && queues[queue]->must_kick())
            driver.kick(static_cast<uint32_t>(queue));
        return head;
    }
    uint8_t status(const Request& request) const { return arena.get<uint8_t>(request.status); }

    // Submits and expects it to complete before that returns.
    uint8_t run(const Request& request, uint32_t type, uint64_t sector)
    {
        const auto head = submit(request, type, sector);
        EXPECT_TRUE(head);
        const auto used = queues[0]->get();
        EXPECT_TRUE(used) << "not complete";
        if (used)
            last_length = used->length;
        queues[0]->enable_interrupts();
        driver.acknowledge();
        return status(request);
    }

    Arena arena;
    virtio::BlockDevice device;
    CountingLine line;
    Mmio mmio{device, line};
    FakeDriver driver{mmio, arena};
    std::vector<std::unique_ptr<FakeQueue>> queues;
    uint32_t last_length = 0;
};

inline std::unique_ptr<BlockBackend> memory_disk(uint64_t capacity, MemoryDiskOptions options = {})
{
    auto made = make_memory_disk(capacity, options);
    EXPECT_TRUE(made);
    return std::move(*made);
}

}  // namespace lkl::test
