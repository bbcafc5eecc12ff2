// SPDX-License-Identifier: GPL-2.0-only
// Back ends that stand below and above the one that records.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <lkl/block.hpp>

namespace lkl::test {

// Takes its time, and finishes what it has in any order, on a thread of its own: only
// then are requests in flight while others are submitted. `base` completes within
// submit().
class LateDisk final : public BlockBackend {
public:
    LateDisk(std::unique_ptr<BlockBackend> base, uint64_t seed)
        : base_(std::move(base)), random_(seed), thread_([this] { work(); })
    {
    }
    ~LateDisk() override
    {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    BlockInfo info() const override { return base_->info(); }
    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        {
            const std::lock_guard lock(mutex_);
            held_.insert(held_.end(), requests.begin(), requests.end());
        }
        changed_.notify_one();
    }

private:
    void work()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return stop_ || !held_.empty(); });
            if (held_.empty())
                return;
            if (random_() % 4 == 0) {
                lock.unlock();
                std::this_thread::sleep_for(std::chrono::microseconds(random_() % 100));
                lock.lock();
            }
            std::swap(held_[random_() % held_.size()], held_.back());
            BlockRequest* const request = held_.back();
            held_.pop_back();
            lock.unlock();
            base_->submit({&request, 1});
            lock.lock();
        }
    }

    const std::unique_ptr<BlockBackend> base_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<BlockRequest*> held_;
    std::mt19937_64 random_;
    bool stop_ = false;
    std::thread thread_;
};

// Says of some flushes that they are done, and forgets them.
class ForgetfulDisk final : public BlockBackend {
public:
    ForgetfulDisk(std::unique_ptr<BlockBackend> base, std::function<bool()> forget)
        : base_(std::move(base)), forget_(std::move(forget))
    {
    }

    BlockInfo info() const override { return base_->info(); }
    int poll_fd() const noexcept override { return base_->poll_fd(); }
    size_t reap() noexcept override { return base_->reap(); }
    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        for (BlockRequest* request : requests) {
            if (request->op == BlockOp::flush && forget_())
                request->complete(0);
            else
                base_->submit({&request, 1});
        }
    }

private:
    const std::unique_ptr<BlockBackend> base_;
    const std::function<bool()> forget_;
};

}  // namespace lkl::test
