// SPDX-License-Identifier: GPL-2.0-only
// Sleeps, timeouts and timers: never early, and not without end. How late they are
// is only checked for sanity: the machine may be busy.
#include <algorithm>
#include <array>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <lkl/asm/poll.h>
#include <lkl/asm/siginfo.h>
#include <lkl/asm/signal.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/futex.h>
#include <lkl/linux/time.h>
#include <lkl/linux/timerfd.h>

#include <support/kernel.hpp>

namespace lkl::test {
namespace {

using ITimerSpec = struct ::__lkl__kernel_itimerspec;
using std::chrono::nanoseconds;

constexpr uint64_t sanity = 5'000'000'000;  // ns

uint64_t to_ns(const TimeSpec& time)
{
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

class Time : public testing::Test {
protected:
    // The kernel's clock.
    uint64_t clock(int which = LKL_CLOCK_MONOTONIC)
    {
        TimeSpec now{};
        EXPECT_EQ(kernel.syscall(__lkl__NR_clock_gettime, which, &now), 0);
        return to_ns(now);
    }

    // Makes the call, and checks how long it took by both clocks.
    template <typename Call>
    long timed(nanoseconds wanted, Call call)
    {
        const auto least = static_cast<uint64_t>(wanted.count());
        const uint64_t inside = clock();
        const uint64_t start = now_ns();
        const long result = call();
        const uint64_t taken = now_ns() - start;
        EXPECT_GE(clock() - inside, least);
        EXPECT_GE(taken, least);
        EXPECT_LT(taken, least + sanity);
        return result;
    }

    const Watchdog watchdog{std::chrono::seconds(120), "time"};
    Kernel kernel = boot();
    Calls calls{kernel};
};

constexpr nanoseconds durations[] = {1ns, 1us, 50us, 300us, 1ms, 4ms, 7ms, 30ms, 110ms};

TEST_F(Time, ClocksGoWithTheHosts)
{
    const uint64_t host = now_ns();
    const uint64_t kernel_time = clock();
    std::this_thread::sleep_for(200ms);
    const uint64_t host_passed = now_ns() - host;
    const uint64_t kernel_passed = clock() - kernel_time;
    EXPECT_LE(kernel_passed, host_passed);
    EXPECT_GE(kernel_passed, 200'000'000u);

    timespec real;
    ::clock_gettime(CLOCK_REALTIME, &real);
    const auto difference = static_cast<int64_t>(clock(LKL_CLOCK_REALTIME)) -
                            (real.tv_sec * 1'000'000'000 + real.tv_nsec);
    // The kernel reads the host's calendar when it starts, to the second at worst.
    EXPECT_LT(std::abs(difference), 1'500'000'000) << difference;
}

TEST_F(Time, ClocksNeverGoBackBetweenThreads)
{
    std::atomic<uint64_t> latest{0};
    Crew crew;
    crew.add(4, [&](int) {
        for (int i = 0; i < 20'000; ++i) {
            const uint64_t before = latest;
            const uint64_t now = clock();
            ASSERT_GE(now, before);
            uint64_t seen = latest;
            while (seen < now && !latest.compare_exchange_weak(seen, now)) {
            }
        }
    });
}

TEST_F(Time, SleepsAreNeverEarly)
{
    for (const nanoseconds wanted : durations) {
        EXPECT_EQ(timed(wanted, [&] { return calls.sleep(wanted); }), 0);
        // To a point in time.
        EXPECT_EQ(timed(wanted, [&] {
            const TimeSpec until = to_timespec(nanoseconds(clock()) + wanted);
            return kernel.syscall(__lkl__NR_clock_nanosleep, LKL_CLOCK_MONOTONIC, LKL_TIMER_ABSTIME,
                                  &until, nullptr);
        }), 0);
    }
    EXPECT_EQ(calls.sleep(0ns), 0);
    const TimeSpec past{0, 1};
    EXPECT_EQ(kernel.syscall(__lkl__NR_clock_nanosleep, LKL_CLOCK_MONOTONIC, LKL_TIMER_ABSTIME, &past,
                             nullptr),
              0);
    const TimeSpec bad{0, 1'000'000'000};
    EXPECT_EQ(kernel.syscall(__lkl__NR_nanosleep, &bad, nullptr), -LKL_EINVAL);
}

// A short sleep costs a few host calls, not a tick of the kernel (4 ms).
TEST_F(Time, SleepsAreNotRoundedToTicks)
{
    std::vector<uint64_t> taken;
    for (int i = 0; i < 101; ++i) {
        const uint64_t start = now_ns();
        EXPECT_EQ(calls.sleep(200us), 0);
        taken.push_back(now_ns() - start);
    }
    std::nth_element(taken.begin(), taken.begin() + 20, taken.end());
    // The better ones, for the sake of a busy machine.
    EXPECT_LT(taken[20], 3'000'000u);
}

TEST_F(Time, ManySleepersAllWake)
{
    std::atomic<long> sleeps{0};
    Crew crew;
    crew.add(40, [&](int i) {
        std::minstd_rand random(static_cast<unsigned>(i + 1));
        const uint64_t end = now_ns() + 2'000'000'000;
        while (now_ns() < end) {
            const nanoseconds wanted(random() % 20'000'000);
            const uint64_t start = now_ns();
            ASSERT_EQ(calls.sleep(wanted), 0);
            const uint64_t taken = now_ns() - start;
            ASSERT_GE(taken, static_cast<uint64_t>(wanted.count()));
            ASSERT_LT(taken, static_cast<uint64_t>(wanted.count()) + sanity);
            ++sleeps;
        }
    });
    crew.join();
    EXPECT_GT(sleeps, 40);
}

TEST_F(Time, TimeoutsOfWaitingCalls)
{
    int fds[2];
    ASSERT_EQ(calls.pipe(fds), 0);
    const long epoll = kernel.syscall(__lkl__NR_epoll_create1, 0);
    std::atomic<uint32_t> word{0};
    const unsigned long signals = 1ul << (LKL_SIGUSR1 - 1);
    for (const nanoseconds wanted : {nanoseconds(1us), nanoseconds(2ms), nanoseconds(25ms)}) {
        const TimeSpec limit = to_timespec(wanted);
        EXPECT_EQ(timed(wanted, [&] {
            struct lkl_pollfd poll = {fds[0], LKL_POLLIN, 0};
            TimeSpec left = limit;
            return kernel.syscall(__lkl__NR_ppoll, &poll, 1, &left, nullptr, 8);
        }), 0);
        EXPECT_EQ(timed(wanted, [&] {
            unsigned long set[16] = {};
            set[fds[0] / 64] = 1ul << (fds[0] % 64);
            TimeSpec left = limit;
            return kernel.syscall(__lkl__NR_pselect6, fds[0] + 1, set, nullptr, nullptr, &left,
                                  nullptr);
        }), 0);
        EXPECT_EQ(timed(wanted, [&] {
            return kernel.syscall(__lkl__NR_futex, &word, LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, 0,
                                  &limit);
        }), -LKL_ETIMEDOUT);
        EXPECT_EQ(timed(wanted, [&] {
            const TimeSpec until = to_timespec(nanoseconds(clock()) + wanted);
            return kernel.syscall(__lkl__NR_futex, &word,
                                  LKL_FUTEX_WAIT_BITSET | LKL_FUTEX_PRIVATE_FLAG, 0, &until, nullptr,
                                  ~0u);
        }), -LKL_ETIMEDOUT);
        EXPECT_EQ(timed(wanted, [&] {
            return kernel.syscall(__lkl__NR_rt_sigtimedwait, &signals, nullptr, &limit, 8);
        }), -LKL_EAGAIN);
        EXPECT_EQ(timed(wanted, [&] {
            struct lkl_epoll_event event;
            return kernel.syscall(__lkl__NR_epoll_pwait2, epoll, &event, 1, &limit, nullptr, 8);
        }), 0);
    }
    struct lkl_epoll_event event;
    EXPECT_EQ(timed(3ms, [&] {
        return kernel.syscall(__lkl__NR_epoll_pwait, epoll, &event, 1, 3, nullptr, 8);
    }), 0);
    // Without any wait.
    EXPECT_EQ(kernel.syscall(__lkl__NR_epoll_pwait, epoll, &event, 1, 0, nullptr, 8), 0);
    struct lkl_pollfd poll = {fds[0], LKL_POLLIN, 0};
    TimeSpec none{};
    EXPECT_EQ(kernel.syscall(__lkl__NR_ppoll, &poll, 1, &none, nullptr, 8), 0);
}

TEST_F(Time, DescriptorTimersTickAndStop)
{
    const long timer = kernel.syscall(__lkl__NR_timerfd_create, LKL_CLOCK_MONOTONIC, 0);
    ASSERT_GE(timer, 0);
    const auto set = [&](nanoseconds first, nanoseconds interval, int flags = 0) {
        const ITimerSpec spec{to_timespec(interval), to_timespec(first)};
        return kernel.syscall(__lkl__NR_timerfd_settime, timer, flags, &spec, nullptr);
    };
    uint64_t count = 0;
    // Once.
    EXPECT_EQ(timed(5ms, [&] {
        EXPECT_EQ(set(5ms, 0ns), 0);
        return calls.read(timer, &count, sizeof count);
    }), 8);
    EXPECT_EQ(count, 1u);

    // Again and again: as many as fit into the time, and one more at most.
    const uint64_t start = clock();
    ASSERT_EQ(set(1ms, 1ms), 0);
    uint64_t ticks = 0;
    while (ticks < 50) {
        ASSERT_EQ(calls.read(timer, &count, sizeof count), 8);
        ticks += count;
        ASSERT_LE(ticks, (clock() - start) / 1'000'000);
    }

    // At a point in time, which is past already.
    ASSERT_EQ(set(1ns, 0ns, LKL_TFD_TIMER_ABSTIME), 0);
    ASSERT_EQ(calls.read(timer, &count, sizeof count), 8);
    EXPECT_EQ(count, 1u);

    // Stopped: a reader would wait for good.
    ASSERT_EQ(set(20ms, 0ns), 0);
    ASSERT_EQ(set(0ns, 0ns), 0);
    struct lkl_pollfd poll = {static_cast<int>(timer), LKL_POLLIN, 0};
    TimeSpec limit = to_timespec(50ms);
    EXPECT_EQ(kernel.syscall(__lkl__NR_ppoll, &poll, 1, &limit, nullptr, 8), 0);
    EXPECT_EQ(calls.close(timer), 0);
}

TEST_F(Time, ManyDescriptorTimersAtOnce)
{
    const long epoll = kernel.syscall(__lkl__NR_epoll_create1, 0);
    constexpr int timers = 100;
    std::array<uint64_t, timers> due{};
    for (int i = 0; i < timers; ++i) {
        const long timer =
            kernel.syscall(__lkl__NR_timerfd_create, LKL_CLOCK_MONOTONIC, LKL_TFD_NONBLOCK);
        ASSERT_GE(timer, 0);
        struct lkl_epoll_event event{};
        event.events = LKL_EPOLLIN | LKL_EPOLLET;
        event.data = static_cast<uint64_t>(i);
        ASSERT_EQ(kernel.syscall(__lkl__NR_epoll_ctl, epoll, LKL_EPOLL_CTL_ADD, timer, &event), 0);
        const nanoseconds wanted = std::chrono::microseconds(1000 + (i * 37 % timers) * 500);
        const ITimerSpec spec{{}, to_timespec(wanted)};
        due[static_cast<size_t>(i)] = clock() + static_cast<uint64_t>(wanted.count());
        ASSERT_EQ(kernel.syscall(__lkl__NR_timerfd_settime, timer, 0, &spec, nullptr), 0);
    }
    for (int seen = 0; seen < timers;) {
        std::array<struct lkl_epoll_event, 16> events;
        const long n =
            kernel.syscall(__lkl__NR_epoll_pwait, epoll, events.data(), events.size(), 10'000, nullptr, 8);
        ASSERT_GT(n, 0);
        const uint64_t now = clock();
        for (long i = 0; i < n; ++i)
            EXPECT_GE(now, due.at(events[static_cast<size_t>(i)].data));
        seen += static_cast<int>(n);
    }
}

// struct sigevent of the generic interface.
struct SignalEvent {
    uint64_t value = 0;
    int signo = 0;
    int notify = 0;
    int thread = 0;
    int pad[11] = {};
};
static_assert(sizeof(SignalEvent) == 64);

TEST_F(Time, PosixTimersSignalTheThreadOfTheirChoice)
{
    constexpr int signal = LKL_SIGRTMIN + 1;
    const unsigned long set = 1ul << (signal - 1);
    Crew crew;
    crew.add(4, [&](int i) {
        ASSERT_EQ(kernel.syscall(__lkl__NR_rt_sigprocmask, LKL_SIG_BLOCK, &set, nullptr, 8), 0);
        SignalEvent event;
        event.value = static_cast<uint64_t>(1000 + i);
        event.signo = signal;
        event.notify = LKL_SIGEV_THREAD_ID | LKL_SIGEV_SIGNAL;
        event.thread = static_cast<int>(calls.gettid());
        int timer = -1;
        ASSERT_EQ(kernel.syscall(__lkl__NR_timer_create, LKL_CLOCK_MONOTONIC, &event, &timer), 0);

        const uint64_t start = clock();
        const nanoseconds interval = 500us + 100us * i;
        const ITimerSpec spec{to_timespec(interval), to_timespec(interval)};
        ASSERT_EQ(kernel.syscall(__lkl__NR_timer_settime, timer, 0, &spec, nullptr), 0);
        long ticks = 0;
        while (ticks < 200) {
            struct lkl_siginfo info{};
            ASSERT_EQ(kernel.syscall(__lkl__NR_rt_sigtimedwait, &set, &info, nullptr, 8), signal);
            ASSERT_EQ(info.si_code, LKL_SI_TIMER);
            ASSERT_EQ(info._sifields._timer._sigval.sival_int, 1000 + i);
            // What it missed while the thread did not run is counted.
            ticks += 1 + info._sifields._timer._overrun;
            ASSERT_LE(static_cast<uint64_t>(ticks),
                      (clock() - start) / static_cast<uint64_t>(interval.count()));
        }
        ASSERT_EQ(kernel.syscall(__lkl__NR_timer_delete, timer), 0);
        // One may be queued; then it is quiet.
        const TimeSpec none{};
        kernel.syscall(__lkl__NR_rt_sigtimedwait, &set, nullptr, &none, 8);
        const TimeSpec limit = to_timespec(5ms);
        EXPECT_EQ(kernel.syscall(__lkl__NR_rt_sigtimedwait, &set, nullptr, &limit, 8), -LKL_EAGAIN);
    });
}

// A signal of the process, which any of its threads may take.
TEST_F(Time, TheAlarmOfTheProcessRings)
{
    const unsigned long set = 1ul << (LKL_SIGALRM - 1);
    ASSERT_EQ(kernel.syscall(__lkl__NR_rt_sigprocmask, LKL_SIG_BLOCK, &set, nullptr, 8), 0);
    struct {
        struct __lkl__kernel_old_timeval interval, value;
    } const timer{{0, 0}, {0, 20'000}};
    const long result = timed(20ms, [&]() -> long {
        EXPECT_EQ(kernel.syscall(__lkl__NR_setitimer, LKL_ITIMER_REAL, &timer, nullptr), 0);
        const TimeSpec limit = to_timespec(20s);
        return kernel.syscall(__lkl__NR_rt_sigtimedwait, &set, nullptr, &limit, 8);
    });
    EXPECT_EQ(result, LKL_SIGALRM);
}

TEST_F(Time, SettingTheClockMovesAbsoluteTimers)
{
    const long timer = kernel.syscall(__lkl__NR_timerfd_create, LKL_CLOCK_REALTIME, 0);
    ASSERT_GE(timer, 0);
    const uint64_t now = clock(LKL_CLOCK_REALTIME);
    const ITimerSpec spec{{}, to_timespec(nanoseconds(now) + 1000s)};
    ASSERT_EQ(kernel.syscall(__lkl__NR_timerfd_settime, timer, LKL_TFD_TIMER_ABSTIME, &spec, nullptr),
              0);
    std::thread setter([&] {
        std::this_thread::sleep_for(20ms);
        const TimeSpec later = to_timespec(nanoseconds(now) + 2000s);
        EXPECT_EQ(kernel.syscall(__lkl__NR_clock_settime, LKL_CLOCK_REALTIME, &later), 0);
    });
    uint64_t count = 0;
    EXPECT_EQ(calls.read(timer, &count, sizeof count), 8);
    setter.join();
    EXPECT_GE(clock(LKL_CLOCK_REALTIME), now + 2'000'000'000'000);
}

}  // namespace
}  // namespace lkl::test
