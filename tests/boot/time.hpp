// SPDX-License-Identifier: GPL-2.0-only
// A kernel whose clocks a test reads, beside the host's. Nothing is early; how late it may
// be is bounded for a busy machine.
#pragma once

#include <atomic>
#include <chrono>

#include <time.h>

#include <gtest/gtest.h>

#include <lkl/linux/time.h>

#include <support/kernel.hpp>

namespace lkl::test {

using std::chrono::nanoseconds;
using TimerSpec = struct ::__lkl__kernel_itimerspec;

constexpr nanoseconds late = 20s;  // on any machine that still works
constexpr nanoseconds never = 1000s;

inline nanoseconds to_ns(const TimeSpec& time)
{
    return nanoseconds(time.tv_sec * 1'000'000'000 + time.tv_nsec);
}

inline nanoseconds host_clock(clockid_t clock)
{
    timespec now;
    ::clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

// Measures on the host how long something takes.
class Stopwatch {
public:
    nanoseconds elapsed() const { return host_clock(CLOCK_MONOTONIC) - start_; }

private:
    const nanoseconds start_ = host_clock(CLOCK_MONOTONIC);
};

#define EXPECT_TAKES(watch, least)                                    \
    do {                                                              \
        const auto took = (watch).elapsed();                          \
        EXPECT_GE(took.count(), nanoseconds(least).count());          \
        EXPECT_LT(took.count(), (nanoseconds(least) + late).count()); \
    } while (0)

class Time : public testing::Test {
protected:
    nanoseconds read(int clock)
    {
        TimeSpec now{};
        EXPECT_EQ(kernel.syscall(__lkl__NR_clock_gettime, clock, &now), 0) << clock;
        return to_ns(now);
    }
    long set_realtime(nanoseconds time)
    {
        const TimeSpec wanted = to_timespec(time);
        return kernel.syscall(__lkl__NR_clock_settime, LKL_CLOCK_REALTIME, &wanted);
    }
    long sleep(int clock, int flags, nanoseconds time, TimeSpec* left = nullptr)
    {
        const TimeSpec wanted = to_timespec(time);
        return kernel.syscall(__lkl__NR_clock_nanosleep, clock, flags, &wanted, left);
    }

    const Watchdog watchdog{120s, "time"};
    Kernel kernel = boot();
    Calls calls{kernel};
};

constexpr int absolute = 1;  // TIMER_ABSTIME

}  // namespace lkl::test
