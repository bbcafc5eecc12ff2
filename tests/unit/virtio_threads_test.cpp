// SPDX-License-Identifier: GPL-2.0-only
// Driver and device on different threads: nothing is lost, whatever the timing.
// Run under ThreadSanitizer as well.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <random>
#include <thread>

#include <poll.h>

#include "block_rig.hpp"

namespace lkl::test {
namespace {

constexpr uint64_t capacity = 1 << 20;

// Completes on threads of its own, out of order, with contents that tell the
// sector. With `polled`, on whichever thread calls reap().
class BusyDisk final : public BlockBackend {
public:
    BusyDisk(unsigned threads, bool polled) : polled_(polled)
    {
        if (polled)
            event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        for (unsigned i = 0; i < threads; ++i)
            threads_.emplace_back([this, i] { work(i); });
    }
    ~BusyDisk() override
    {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (auto& thread : threads_)
            thread.join();
        if (event_ >= 0)
            ::close(event_);
    }

    BlockInfo info() const override
    {
        BlockInfo info;
        info.capacity = capacity;
        return info;
    }
    int poll_fd() const noexcept override { return event_; }
    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        EXPECT_FALSE(submitting_.exchange(true)) << "two threads in submit()";
        for (size_t i = 0; i < requests.size(); ++i) {
            // Every third one at once.
            if (i % 3 == 2) {
                serve(*requests[i]);
                continue;
            }
            const std::lock_guard lock(mutex_);
            queue_.push_back(requests[i]);
        }
        wake_.notify_all();
        submitting_ = false;
    }
    size_t reap() noexcept override
    {
        EXPECT_FALSE(reaping_.exchange(true)) << "two threads in reap()";
        std::vector<BlockRequest*> done;
        {
            const std::lock_guard lock(mutex_);
            done.swap(done_);
            eventfd_t value = 0;
            ::eventfd_read(event_, &value);
        }
        for (BlockRequest* const request : done)
            serve(*request);
        reaping_ = false;
        return done.size();
    }

private:
    static void serve(BlockRequest& request)
    {
        const auto sector = static_cast<uint32_t>(request.offset / 512);
        for (const iovec& buffer : request.iov)
            for (size_t i = 0; i + 4 <= buffer.iov_len; i += 4)
                std::memcpy(static_cast<std::byte*>(buffer.iov_base) + i, &sector, 4);
        request.complete(0);
    }

    void work(unsigned seed)
    {
        std::mt19937 random(seed);
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
            if (queue_.empty())
                return;
            const size_t at = random() % queue_.size();
            BlockRequest* const request = queue_[at];
            queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(at));
            if (polled_) {
                done_.push_back(request);
                ::eventfd_write(event_, 1);
                continue;
            }
            lock.unlock();
            serve(*request);
            lock.lock();
        }
    }

    const bool polled_;
    int event_ = -1;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<BlockRequest*> queue_;
    std::vector<BlockRequest*> done_;
    bool stop_ = false;
    std::atomic<bool> submitting_{false};
    std::atomic<bool> reaping_{false};
    std::vector<std::thread> threads_;
};

struct Case {
    const char* name;
    unsigned queues;
    unsigned device_threads;
    bool polled;
    uint64_t without;
};

class VirtioThreads : public testing::TestWithParam<Case> {};

// One thread per queue is the driver, one is the interrupt handler. Every driver
// sleeps whenever it has nothing left to look at, so that one lost interrupt or
// notification stops it for good; the test then ends by its time limit.
TEST_P(VirtioThreads, lose_nothing)
{
    const Case& c = GetParam();
#if defined(__SANITIZE_THREAD__)
    constexpr unsigned total = 4000;
#else
    constexpr unsigned total = 40000;
#endif
    BlockRig rig(std::make_unique<BusyDisk>(c.device_threads, c.polled), {4, 64});
    rig.start(c.without, 32, static_cast<uint16_t>(c.queues));

    std::atomic<bool> stop{false};
    std::vector<std::atomic<unsigned>> interrupts(c.queues);
    std::thread handler([&] {
        for (unsigned seen = 0; !stop;) {
            rig.line.wait(seen);
            seen = rig.line.count();
            rig.driver.acknowledge();
            for (auto& interrupt : interrupts) {
                ++interrupt;
                interrupt.notify_one();
            }
        }
    });
    std::thread reaper([&] {
        while (c.polled && !stop) {
            pollfd event{rig.device.poll_fd(), POLLIN, 0};
            ::poll(&event, 1, 20);
            rig.device.reap();
        }
    });

    std::vector<std::thread> drivers;
    uint64_t extra = 0;
    for (unsigned q = 0; q < c.queues; ++q) {
        std::vector<BlockRig::Request> requests;
        for (unsigned i = 0; i < 24; ++i)
            requests.push_back(rig.make(rig.arena.allocate(1024, 512), 1024, true));
        // Memory for indirect tables comes from the arena, before threads share it.
        size_t added = 0;
        while (added < requests.size() && rig.add(requests[added], blk_in, 0, q))
            ++added;
        rig.driver.kick(q);
        for (size_t done = 0; done < added;)
            done += rig.queues[q]->get().has_value();
        extra += added;
        rig.queues[q]->enable_interrupts();
        drivers.emplace_back([&rig, &interrupts, q, requests] {
            FakeQueue& queue = *rig.queues[q];
            std::mt19937 random(q + 1);
            std::vector<std::optional<size_t>> by_head(queue.size());
            std::vector<uint32_t> sector(requests.size());
            std::vector<size_t> idle(requests.size());
            for (size_t i = 0; i < idle.size(); ++i)
                idle[i] = i;
            unsigned submitted = 0;
            unsigned done = 0;
            while (done < total) {
                const unsigned seen = interrupts[q];
                for (unsigned burst = random() % 8; burst > 0 && !idle.empty() && submitted < total;
                     --burst) {
                    const size_t i = idle.back();
                    sector[i] = static_cast<uint32_t>(random() % (capacity / 512 - 1));
                    const auto head = rig.add(requests[i], blk_in, sector[i], q);
                    if (!head)
                        break;
                    idle.pop_back();
                    by_head[*head] = i;
                    ++submitted;
                }
                if (queue.must_kick())
                    rig.driver.kick(q);
                bool some = false;
                while (const auto used = queue.get()) {
                    const size_t i = *by_head[used->id];
                    ASSERT_EQ(rig.status(requests[i]), blk_ok);
                    ASSERT_EQ(rig.arena.get<uint32_t>(requests[i].data[0].address), sector[i]);
                    ASSERT_EQ(rig.arena.get<uint32_t>(requests[i].data[0].address + 1020),
                              sector[i]);
                    idle.push_back(i);
                    ++done;
                    some = true;
                }
                if (!some && submitted > done && !queue.enable_interrupts())
                    interrupts[q].wait(seen);
            }
        });
    }
    for (auto& driver : drivers)
        driver.join();
    stop = true;
    rig.line.raise();
    handler.join();
    reaper.join();
    EXPECT_EQ(rig.device.statistics().reads, total * c.queues + extra);
    EXPECT_EQ(rig.device.statistics().bad_chains, 0u);
    EXPECT_EQ(rig.driver.status() & mmio::needs_reset, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    All, VirtioThreads,
    testing::Values(Case{"one_queue", 1, 1, false, 0}, Case{"two_queues", 2, 3, false, 0},
                    Case{"polled", 2, 2, true, 0},
                    Case{"no_event_index", 1, 2, false, virtio::feature_event_index},
                    Case{"direct_descriptors", 2, 2, false, virtio::feature_indirect}),
    [](const auto& info) { return std::string(info.param.name); });

// Requests are submitted while the device is reset again and again.
TEST(VirtioThreadsReset, in_the_middle_of_everything)
{
    BlockRig rig(std::make_unique<BusyDisk>(2, false), {4, 64}, 64 << 20);
    for (unsigned round = 0; round < 200; ++round) {
        rig.start(0, 16, 1);
        const uint64_t data = rig.arena.allocate(8 * 512);
        std::thread notifier([&] {
            for (int i = 0; i < 50; ++i)
                rig.driver.kick(0);
        });
        for (uint64_t i = 0; i < 8; ++i)
            rig.submit(rig.make(data + i * 512, 512, true), blk_in, 1);
        rig.driver.write(mmio::status, 0);
        // Nothing writes to the memory any more.
        const auto index = rig.arena.get<uint16_t>(rig.queues[0]->used + 2);
        rig.arena.put<uint32_t>(data, 0xdeadbeef);
        notifier.join();
        EXPECT_EQ(rig.arena.get<uint16_t>(rig.queues[0]->used + 2), index);
        EXPECT_EQ(rig.arena.get<uint32_t>(data), 0xdeadbeef);
    }
}

}  // namespace
}  // namespace lkl::test
