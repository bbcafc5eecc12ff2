// SPDX-License-Identifier: GPL-2.0-only
// Random rings, descriptors, requests and register accesses, for about two
// seconds each. What must hold: no crash, no access outside of the memory (the
// sanitizer build sees it), the device can be reset and used afterwards.
#include <chrono>
#include <random>
#include <thread>

#include "block_rig.hpp"

namespace lkl::test {
namespace {

constexpr uint64_t capacity = 64 << 10;
constexpr uint64_t memory = 64 << 10;
constexpr uint16_t queue_size = 16;

class VirtioFuzz : public testing::Test {
protected:
    unsigned random(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    bool one_in(unsigned n) { return random(n) == 0; }

    uint64_t address()
    {
        switch (random(8)) {
        case 0:
            return random_();
        case 1:
            return memory - random(64);
        case 2:
            return ~uint64_t{0} - random(64);
        default:
            return random(memory);
        }
    }
    uint32_t length()
    {
        switch (random(8)) {
        case 0:
            return static_cast<uint32_t>(random_());
        case 1:
            return random(40);
        case 2:
            return 16 * random(20);
        default:
            return 512 * random(5);
        }
    }
    Descriptor descriptor(unsigned entries)
    {
        return {address(), length(),
                static_cast<uint16_t>(one_in(20) ? random(0x10000)
                                                 : random(4) | (one_in(6) ? flag_indirect : 0)),
                static_cast<uint16_t>(one_in(20) ? random(0x10000) : random(entries))};
    }

    // A request that is right but for a few details.
    void nearly_right_request(BlockRig& rig, FakeQueue& queue)
    {
        const uint64_t header = random(memory - 64), status = random(memory);
        static constexpr uint32_t types[] = {
            blk_in, blk_out, blk_do_flush, blk_get_id, blk_do_discard, blk_do_write_zeroes, 77};
        rig.arena.put<uint32_t>(header, types[random(std::size(types))]);
        rig.arena.put<uint64_t>(header + 8, one_in(10) ? random_() : random(capacity / 512 + 2));
        if (one_in(3))
            rig.arena.put(header + 16, BlkRange{random(capacity / 512 + 2), random(200),
                                                random(one_in(5) ? 8 : 2)});
        const uint16_t head = static_cast<uint16_t>(random(queue_size));
        const uint16_t next = static_cast<uint16_t>((head + 1) % queue_size);
        const uint16_t last = static_cast<uint16_t>((head + 2) % queue_size);
        const bool in = one_in(2);
        queue.put_descriptor(head, {header, one_in(4) ? 32u : 16u, flag_next, next});
        queue.put_descriptor(next,
                             {random(memory - 8192), 512 * (1 + random(8)),
                              static_cast<uint16_t>(flag_next | (in ? flag_write : 0)), last});
        queue.put_descriptor(last, {status, 1, flag_write, 0});
        queue.make_available(head);
    }

    void start(BlockRig& rig, bool event_index)
    {
        const uint64_t without = event_index ? 0 : virtio::feature_event_index;
        ASSERT_TRUE(rig.driver.negotiate(rig.driver.offered() & ~without));
        rig.queues[0] = std::make_unique<FakeQueue>(rig.arena, queue_size, false, event_index,
                                                    rig.queues[0].get());
        ASSERT_TRUE(rig.driver.enable_queue(0, *rig.queues[0]));
        rig.driver.add_status(mmio::driver_ok);
    }

    // One bout with a device; whatever state it is left in, it can be reset.
    void bout(BlockRig& rig, unsigned steps)
    {
        ASSERT_NO_FATAL_FAILURE(start(rig, one_in(2)));
        FakeQueue& queue = *rig.queues[0];
        for (unsigned i = 0; i < steps; ++i) {
            switch (random(16)) {
            case 0:
                queue.put_descriptor(static_cast<uint16_t>(random(queue_size)),
                                     descriptor(queue_size));
                break;
            case 1: {
                const uint64_t table = random(memory - 512);
                for (unsigned n = 0; n < 16; ++n)
                    rig.arena.put(table + 16 * n, descriptor(16));
                queue.put_descriptor(static_cast<uint16_t>(random(queue_size)),
                                     {table, 16 * (1 + random(16)), flag_indirect, 0});
                break;
            }
            case 2:
                queue.make_available(static_cast<uint16_t>(random(queue_size + 1)));
                break;
            case 3:
                if (one_in(8))
                    queue.set_available_index(static_cast<uint16_t>(random(0x10000)));
                break;
            case 4:
                if (one_in(4))
                    rig.arena.put<uint64_t>(random(memory - 8), random_());
                break;
            case 5:
                registers(rig);
                break;
            default:
                nearly_right_request(rig, queue);
                rig.driver.kick(random(3));
                after_kick();
            }
        }
    }

    void registers(BlockRig& rig)
    {
        static constexpr unsigned sizes[] = {1, 2, 4, 4, 4, 8, 3};
        // A queue that is disabled or reset waits for them, and a cache that is turned off for
        // a flush.
        std::jthread finisher;
        if (held_) {
            finisher = std::jthread([this](const std::stop_token& stop) {
                while (!stop.stop_requested()) {
                    finish_all();
                    std::this_thread::yield();
                }
            });
        }
        for (unsigned i = random(4); i > 0; --i) {
            const uint64_t offset = one_in(10) ? random_() : 4 * random(Mmio::window / 4);
            const unsigned size = sizes[random(std::size(sizes))];
            // A status of 0 would end the bout; it comes between bouts anyway.
            if (one_in(2))
                rig.mmio.read(offset, size);
            else if (offset != mmio::status)
                rig.mmio.write(offset, one_in(2) ? random(16) : random_(), size);
        }
    }

    void expect_alive(BlockRig& rig)
    {
        finish_all();
        ASSERT_NO_FATAL_FAILURE(start(rig, true));
        EXPECT_EQ(rig.driver.status() & mmio::needs_reset, 0u);
        rig.submit(*request_, blk_in, 3);
        if (held_) {
            ASSERT_EQ(held_->held(), 1u);
            held_->finish(0, 0);
        }
        EXPECT_TRUE(rig.queues[0]->get());
        EXPECT_EQ(rig.status(*request_), blk_ok);
    }

    void finish_all()
    {
        while (held_ && held_->held())
            held_->finish(0, 0);
    }

    void after_kick()
    {
        while (held_ && held_->held() > random(queue_size))
            held_->finish(random(static_cast<unsigned>(held_->held())), one_in(4) ? -EIO : 0);
    }

    void fuzz(std::unique_ptr<BlockBackend> backend)
    {
        BlockRig rig(std::move(backend), {2, 64}, memory);
        rig.queues.push_back(std::make_unique<FakeQueue>(rig.arena, queue_size, false, true));
        request_ = rig.make(rig.arena.allocate(1024), 1024, true);
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
        unsigned bouts = 0;
        for (; (bouts < 200 || std::chrono::steady_clock::now() < end) && !HasFatalFailure();
             ++bouts) {
            SCOPED_TRACE("bout " + std::to_string(bouts));
            random_.seed(bouts);
            bout(rig, 1 + random(300));
            expect_alive(rig);
        }
        const auto statistics = rig.device.statistics();
        // The fuzzer is only worth something when it gets beyond the first check.
        EXPECT_GT(bouts, 10u);
        EXPECT_GT(statistics.reads, bouts);
        EXPECT_GT(statistics.writes, bouts / 10);
        EXPECT_GT(statistics.write_zeroes, 0u);
        EXPECT_GT(statistics.bad_requests, bouts);
        EXPECT_GT(statistics.bad_chains, 0u);
        EXPECT_GT(rig.mmio.errors().access, 0u);
    }

    HeldDisk* held_ = nullptr;

private:
    std::mt19937_64 random_;
    std::optional<BlockRig::Request> request_;
};

TEST_F(VirtioFuzz, completing_at_once)
{
    fuzz(memory_disk(capacity));
}

TEST_F(VirtioFuzz, completing_later)
{
    BlockInfo info;
    info.capacity = capacity;
    info.discard = info.write_zeroes = true;
    held_ = new HeldDisk(info);
    fuzz(std::unique_ptr<BlockBackend>(held_));
}

}  // namespace
}  // namespace lkl::test
