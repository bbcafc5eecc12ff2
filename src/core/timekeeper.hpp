// SPDX-License-Identifier: GPL-2.0-only
// Timekeeper: the kernel's timer while the background thread, which raises it otherwise,
// is in the kernel itself. A kernel thread that computes there for long would never see
// the time pass: jiffies stand still, and the scheduler lets nobody else in.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include <pthread.h>

#include <platform/posix/clock.hpp>

namespace lkl {

// Most turns of the background thread are over long before the next deadline, and are to
// cost nothing. So the keeper has a thread only when a deadline is near in one of them; it
// ends when there has been none for some seconds. Where there can be no thread, the timer
// waits for the end of the turn, or for the kernel's next deadline.
class Timekeeper {
public:
    // `expire` raises the timer for the deadline that has passed, and puts `never` in its
    // place; it is called on the keeper's thread, within a turn only. `deadline` is the
    // kernel's.
    Timekeeper(const std::atomic<uint64_t>& deadline, std::function<void(uint64_t)> expire)
        : deadline_(deadline), expire_(std::move(expire))
    {
    }
    ~Timekeeper();
    Timekeeper(const Timekeeper&) = delete;
    Timekeeper& operator=(const Timekeeper&) = delete;

    // While it exists, its thread carries the kernel and nobody else raises the timer.
    // One at a time.
    class Turn {
    public:
        explicit Turn(Timekeeper& keeper) noexcept : keeper_(keeper) { keeper_.begin(); }
        ~Turn() { keeper_.end(); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        Timekeeper& keeper_;
    };

    // The carrier, after it has set the deadline.
    void armed(uint64_t deadline) noexcept
    {
        if (turn_.load(std::memory_order_relaxed) && deadline < until_.load()) [[unlikely]]
            call_if_near(deadline);
    }

private:
    void begin() noexcept;
    void end() noexcept;
    void call_if_near(uint64_t deadline) noexcept;
    bool start() noexcept;
    void run() noexcept;

    const std::atomic<uint64_t>& deadline_;
    const std::function<void(uint64_t)> expire_;

    std::mutex mutex_;
    std::condition_variable called_;
    pthread_t thread_{};  // all of these under the mutex
    bool joinable_ = false;
    bool running_ = false;
    bool stop_ = false;
    uint64_t turns_ = 0;   // that have begun
    pthread_t carrier_{};  // of the present one

    // Written by the thread whose turn it is, under the mutex. Whoever carries reads it
    // without: that thread its own, another one what is about to become false.
    std::atomic<bool> turn_{false};
    // Until when the keeper sleeps. Written by the keeper, under the mutex. Both seq_cst:
    // the carrier stores the deadline, then loads until_; the keeper stores until_, then
    // loads the deadline.
    std::atomic<uint64_t> until_{posix::never};
};

}  // namespace lkl
