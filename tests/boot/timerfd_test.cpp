// SPDX-License-Identifier: GPL-2.0-only
// Timers that are read from a descriptor.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include <lkl/asm/poll.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/futex.h>
#include <lkl/linux/timerfd.h>

#include "boot/time.hpp"

namespace lkl::test {
namespace {

class TimerFd : public Time {
protected:
    long create(int clock, int flags = 0)
    {
        const long fd = kernel.syscall(__lkl__NR_timerfd_create, clock, flags);
        EXPECT_GE(fd, 0);
        return fd;
    }
    long set(long fd, int flags, nanoseconds first, nanoseconds then = 0ns)
    {
        const TimerSpec spec{to_timespec(then), to_timespec(first)};
        return kernel.syscall(__lkl__NR_timerfd_settime, fd, flags, &spec, nullptr);
    }
    // Expirations, or a negative errno.
    long take(long fd)
    {
        uint64_t count = 0;
        const long n = calls.read(fd, &count, sizeof count);
        return n == sizeof count ? static_cast<long>(count) : n;
    }
};

TEST_F(TimerFd, ExpiresOnceAndBlocksUntilThen)
{
    for (const int clock : {LKL_CLOCK_REALTIME, LKL_CLOCK_MONOTONIC, LKL_CLOCK_BOOTTIME}) {
        const long fd = create(clock);
        const Stopwatch watch;
        ASSERT_EQ(set(fd, 0, 30ms), 0);
        EXPECT_EQ(take(fd), 1);
        EXPECT_TAKES(watch, 30ms);

        ASSERT_EQ(set(fd, LKL_TFD_TIMER_ABSTIME, read(clock) + 10ms), 0);
        EXPECT_EQ(take(fd), 1);
        ASSERT_EQ(set(fd, LKL_TFD_TIMER_ABSTIME, 1ns), 0);
        EXPECT_EQ(take(fd), 1);
        EXPECT_EQ(calls.close(fd), 0);
    }
}

TEST_F(TimerFd, RepeatsAndCounts)
{
    const long fd = create(LKL_CLOCK_MONOTONIC, LKL_TFD_NONBLOCK);
    EXPECT_EQ(take(fd), -LKL_EAGAIN);
    const Stopwatch watch;
    ASSERT_EQ(set(fd, 0, 1ms, 1ms), 0);
    // Nobody is in the kernel meanwhile; who raises the interrupt may be late on a busy host.
    long first = -LKL_EAGAIN;
    for (nanoseconds pause = 50ms; first == -LKL_EAGAIN && pause < late; pause *= 4) {
        std::this_thread::sleep_for(pause);
        first = take(fd);
    }
    EXPECT_GE(first, 45);
    EXPECT_LE(first, watch.elapsed() / 1ms);
    EXPECT_EQ(calls.sleep(50ms), 0);
    const long second = take(fd);
    EXPECT_GE(second, 45);
    EXPECT_LE(first + second, watch.elapsed() / 1ms);

    TimerSpec left{};
    ASSERT_EQ(kernel.syscall(__lkl__NR_timerfd_gettime, fd, &left), 0);
    EXPECT_LE(to_ns(left.it_value), 1ms);
    EXPECT_EQ(to_ns(left.it_interval), 1ms);
    ASSERT_EQ(set(fd, 0, 0ns), 0);
    EXPECT_EQ(calls.sleep(5ms), 0);
    EXPECT_EQ(take(fd), -LKL_EAGAIN);
}

TEST_F(TimerFd, WakesPollSelectAndEpoll)
{
    const long fd = create(LKL_CLOCK_MONOTONIC);
    const long epoll = kernel.syscall(__lkl__NR_epoll_create1, 0);
    struct lkl_epoll_event event {
        LKL_EPOLLIN, 5
    };
    ASSERT_EQ(kernel.syscall(__lkl__NR_epoll_ctl, epoll, LKL_EPOLL_CTL_ADD, fd, &event), 0);
    for (int i = 0; i < 10; ++i) {
        Stopwatch watch;
        ASSERT_EQ(set(fd, 0, 5ms), 0);
        switch (i % 3) {
        case 0: {
            struct lkl_pollfd poll {
                static_cast<int>(fd), LKL_POLLIN, 0
            };
            EXPECT_EQ(kernel.syscall(__lkl__NR_ppoll, &poll, 1, nullptr, nullptr, 8), 1);
            EXPECT_EQ(poll.revents, LKL_POLLIN);
            break;
        }
        case 1: {
            std::array<unsigned long, 16> set{};
            set[static_cast<size_t>(fd) / 64] |= 1ul << (fd % 64);
            EXPECT_EQ(kernel.syscall(__lkl__NR_pselect6, fd + 1, set.data(), nullptr, nullptr,
                                     nullptr, nullptr),
                      1);
            break;
        }
        default:
            struct lkl_epoll_event out {};
            EXPECT_EQ(kernel.syscall(__lkl__NR_epoll_pwait, epoll, &out, 1, -1, nullptr, 8), 1);
            EXPECT_EQ(out.data, 5u);
        }
        EXPECT_TAKES(watch, 5ms);
        EXPECT_EQ(take(fd), 1);
    }
}

TEST_F(TimerFd, IsCancelledWhenTheTimeIsSet)
{
    const long fd = create(LKL_CLOCK_REALTIME);
    const nanoseconds now = read(LKL_CLOCK_REALTIME);
    ASSERT_EQ(set(fd, LKL_TFD_TIMER_ABSTIME | LKL_TFD_TIMER_CANCEL_ON_SET, now + 1000s), 0);
    std::atomic<bool> asked{false};
    std::atomic<long> result{0};
    Crew crew;
    crew.add([&] {
        asked = true;
        result = take(fd);
    });
    while (!asked)
        std::this_thread::yield();
    std::this_thread::sleep_for(5ms);
    ASSERT_EQ(set_realtime(now + 10s), 0);
    crew.join();
    EXPECT_EQ(result, -LKL_ECANCELED);
}

// All kinds at once, from many threads.
TEST_F(TimerFd, ManyOfAllKinds)
{
    Crew crew;
    crew.add(12, [&](int i) {
        const long fd = create(LKL_CLOCK_MONOTONIC);
        for (int n = 0; n < 60; ++n) {
            const nanoseconds time = 200us * (1 + (i * 5 + n * 7) % 15);
            const Stopwatch watch;
            switch ((i + n) % 4) {
            case 0:
                EXPECT_EQ(calls.sleep(time), 0);
                break;
            case 1:
                EXPECT_EQ(set(fd, 0, time), 0);
                EXPECT_EQ(take(fd), 1);
                break;
            case 2: {
                uint32_t word = 0;
                const TimeSpec limit = to_timespec(time);
                EXPECT_EQ(kernel.syscall(__lkl__NR_futex, &word, LKL_FUTEX_WAIT, 0, &limit),
                          -LKL_ETIMEDOUT);
                break;
            }
            default: {
                const TimeSpec limit = to_timespec(time);
                EXPECT_EQ(kernel.syscall(__lkl__NR_ppoll, nullptr, 0, &limit, nullptr, 8), 0);
            }
            }
            EXPECT_TAKES(watch, time);
        }
        EXPECT_EQ(calls.close(fd), 0);
    });
}

}  // namespace
}  // namespace lkl::test
