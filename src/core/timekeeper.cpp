// SPDX-License-Identifier: GPL-2.0-only
#include <core/timekeeper.hpp>

#include <algorithm>
#include <chrono>

#include <sys/prctl.h>

#include <platform/posix/thread.hpp>

namespace lkl {

namespace {

// In nanoseconds. A kernel that has work has a tick of 10 ms or less, or waits for 100 ms
// where its timers took too long (hrtimer_interrupt()); a deadline that is farther away is
// that of an idle one.
constexpr uint64_t near = 150'000'000;

// A nap between two looks, when turns follow one another.
constexpr uint64_t nap = 20'000'000;

// How long the thread stays without a turn.
constexpr std::chrono::seconds linger{2};

std::chrono::steady_clock::time_point steady(uint64_t ns)
{
    // steady_clock is CLOCK_MONOTONIC.
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(ns));
}

}  // namespace

Timekeeper::~Timekeeper()
{
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    called_.notify_one();
    if (joinable_)
        ::pthread_join(thread_, nullptr);
}

void Timekeeper::begin() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        ++turns_;
        carrier_ = ::pthread_self();
        turn_.store(true, std::memory_order_relaxed);
    }
    armed(deadline_.load());
}

void Timekeeper::end() noexcept
{
    const std::lock_guard lock(mutex_);
    turn_.store(false, std::memory_order_relaxed);
}

void Timekeeper::call_if_near(uint64_t deadline) noexcept
{
    if (deadline > posix::monotonic_now() + near)
        return;
    {
        // The lock: not between the thread's look at the deadline and its sleep. The next
        // carrier may be in the kernel before the turn has ended; its deadline is the
        // background thread's.
        const std::lock_guard lock(mutex_);
        if (!::pthread_equal(carrier_, ::pthread_self()) || (!running_ && !start()))
            return;
    }
    called_.notify_one();
}

bool Timekeeper::start() noexcept
{
    if (joinable_)
        ::pthread_join(thread_, nullptr);
    const auto function = [](void* keeper) -> void* {
        static_cast<Timekeeper*>(keeper)->run();
        return nullptr;
    };
    joinable_ = running_ = posix::start_thread(thread_, "lkl-time", function, this) == 0;
    return running_;
}

void Timekeeper::run() noexcept
{
    ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    std::unique_lock lock(mutex_);
    uint64_t seen = turns_;
    while (!stop_) {
        const uint64_t now = posix::monotonic_now();
        const bool turn = turn_.load(std::memory_order_relaxed);
        uint64_t until = turn || turns_ != seen ? now + nap : posix::never;
        seen = turns_;
        until_.store(until);
        if (turn) {
            const uint64_t deadline = deadline_.load();
            if (deadline <= now) {
                expire_(deadline);
                continue;
            }
            until = std::min(until, deadline);
            until_.store(until);
        }
        if (until != posix::never)
            called_.wait_until(lock, steady(until));
        else if (called_.wait_for(lock, linger) == std::cv_status::timeout &&
                 !turn_.load(std::memory_order_relaxed))
            break;
    }
    running_ = false;
}

}  // namespace lkl
