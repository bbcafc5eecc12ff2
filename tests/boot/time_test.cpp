// SPDX-License-Identifier: GPL-2.0-only
// Clocks, timers, and the signals and timeouts that come of them. Nothing is early;
// how late it may be is bounded for a busy machine.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <time.h>

#include <lkl/asm/ioctls.h>
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

using std::chrono::nanoseconds;
using TimerSpec = struct ::__lkl__kernel_itimerspec;

constexpr nanoseconds late = 20s;  // on any machine that still works
constexpr nanoseconds never = 1000s;

nanoseconds to_ns(const TimeSpec& time)
{
    return nanoseconds(time.tv_sec * 1'000'000'000 + time.tv_nsec);
}

nanoseconds host_clock(clockid_t clock)
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

TEST_F(Time, ClocksRunAsTheHosts)
{
    for (const int clock : {LKL_CLOCK_REALTIME, LKL_CLOCK_MONOTONIC, LKL_CLOCK_MONOTONIC_RAW,
                            LKL_CLOCK_BOOTTIME, LKL_CLOCK_TAI}) {
        const nanoseconds a = host_clock(CLOCK_MONOTONIC);
        const nanoseconds first = read(clock);
        const nanoseconds b = host_clock(CLOCK_MONOTONIC);
        calls.sleep(100ms);
        std::this_thread::sleep_for(100ms);
        const nanoseconds c = host_clock(CLOCK_MONOTONIC);
        const nanoseconds second = read(clock);
        const nanoseconds d = host_clock(CLOCK_MONOTONIC);
        const nanoseconds passed = second - first;
        // A thousandth for what the host's clock is being corrected by.
        EXPECT_GE(passed.count(), ((c - b) * 999 / 1000).count()) << clock;
        EXPECT_LE(passed.count(), ((d - a) * 1001 / 1000).count()) << clock;
    }
}

// What a boot takes is not missing. The kernel reads the host's clocks one after the
// other: what a busy host does in between is an error that stays, so one of several
// kernels must be right.
TEST_F(Time, ClocksShowWhatTheHostsShow)
{
    constexpr nanoseconds close = 1ms;
    constexpr int kernels = 20;
    for (const int clock : {LKL_CLOCK_REALTIME, LKL_CLOCK_MONOTONIC, LKL_CLOCK_BOOTTIME}) {
        // Ours knows no suspend.
        const clockid_t hosts = clock == LKL_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
        nanoseconds best = 1h;
        for (int i = 0; i < kernels && best > close; ++i) {
            if (i > 0)
                kernel = boot();
            const nanoseconds before = host_clock(hosts);
            const nanoseconds ours = read(clock);
            const nanoseconds after = host_clock(hosts);
            best = std::min(best, std::max({before - ours, ours - after, nanoseconds(0)}));
        }
        EXPECT_LE(best.count(), close.count()) << clock;
    }
}

TEST_F(Time, CoarseClocksFollow)
{
    const std::pair<int, int> pairs[] = {{LKL_CLOCK_REALTIME_COARSE, LKL_CLOCK_REALTIME},
                                         {LKL_CLOCK_MONOTONIC_COARSE, LKL_CLOCK_MONOTONIC}};
    for (const auto& [coarse, fine] : pairs) {
        for (int i = 0; i < 20; ++i) {
            const nanoseconds before = read(fine);
            const nanoseconds tick = read(coarse);
            const nanoseconds after = read(fine);
            EXPECT_LE(tick, after);
            EXPECT_GT(tick, before - 1s) << coarse;
            std::this_thread::sleep_for(20ms);
        }
    }
}

TEST_F(Time, ClocksDoNotGoBack)
{
    for (const int clock :
         {LKL_CLOCK_MONOTONIC, LKL_CLOCK_PROCESS_CPUTIME_ID, LKL_CLOCK_THREAD_CPUTIME_ID}) {
        const Stopwatch watch;
        const nanoseconds first = read(clock);
        nanoseconds last = first;
        for (int i = 0; i < 10000; ++i) {
            const nanoseconds now = read(clock);
            ASSERT_GE(now, last) << clock;
            last = now;
        }
        EXPECT_GT(last, first) << clock;
        EXPECT_LE(last - first, watch.elapsed() + 10ms) << clock;
    }
}

TEST_F(Time, ResolutionIsANanosecond)
{
    for (const int clock : {LKL_CLOCK_REALTIME, LKL_CLOCK_MONOTONIC, LKL_CLOCK_BOOTTIME}) {
        TimeSpec resolution{};
        EXPECT_EQ(kernel.syscall(__lkl__NR_clock_getres, clock, &resolution), 0);
        EXPECT_EQ(to_ns(resolution), 1ns);
    }
    TimeSpec time{};
    EXPECT_EQ(kernel.syscall(__lkl__NR_clock_gettime, 12, &time), -LKL_EINVAL);
}

TEST_F(Time, SleepsAreNotShort)
{
    for (const nanoseconds time :
         {0ns, 1ns, 1000ns, 50'000ns, nanoseconds(1ms), nanoseconds(7ms), nanoseconds(120ms)}) {
        for (int i = 0; i < 5; ++i) {
            const Stopwatch watch;
            EXPECT_EQ(calls.sleep(time), 0);
            EXPECT_TAKES(watch, time);
        }
    }
    const TimeSpec wrong{0, 1'000'000'000};
    EXPECT_EQ(kernel.syscall(__lkl__NR_nanosleep, &wrong, nullptr), -LKL_EINVAL);
}

TEST_F(Time, SleepsByEachClock)
{
    for (const int clock :
         {LKL_CLOCK_REALTIME, LKL_CLOCK_MONOTONIC, LKL_CLOCK_BOOTTIME, LKL_CLOCK_TAI}) {
        const Stopwatch watch;
        EXPECT_EQ(sleep(clock, 0, 10ms), 0) << clock;
        EXPECT_TAKES(watch, 10ms);

        const Stopwatch again;
        const nanoseconds until = read(clock) + 10ms;
        EXPECT_EQ(sleep(clock, absolute, until), 0) << clock;
        EXPECT_GE(read(clock), until) << clock;
        EXPECT_LT(again.elapsed(), 10ms + late);

        // What is over needs no sleep.
        const Stopwatch past;
        EXPECT_EQ(sleep(clock, absolute, read(clock) - 1ns), 0);
        EXPECT_LT(past.elapsed(), late);
    }
}

TEST_F(Time, SleepersDoNotWaitForEachOther)
{
    const Stopwatch watch;
    Crew crew;
    crew.add(24, [&](int i) {
        for (int n = 0; n < 10; ++n) {
            const nanoseconds time = 1ms * (1 + (i * 7 + n * 3) % 20);
            const Stopwatch mine;
            EXPECT_EQ(calls.sleep(time), 0);
            EXPECT_TAKES(mine, time);
        }
    });
    crew.join();
    EXPECT_LT(watch.elapsed(), late);
}

TEST_F(Time, ShortSleepsEndBesideALongOne)
{
    std::atomic<long> tid{0};
    std::atomic<long> result{1};
    Crew crew;
    crew.add([&] {
        tid = calls.gettid();
        const TimeSpec wanted = to_timespec(never);
        result = kernel.syscall(__lkl__NR_nanosleep, &wanted, nullptr);
    });
    while (tid == 0)
        std::this_thread::yield();
    for (int i = 0; i < 50; ++i) {
        const Stopwatch watch;
        EXPECT_EQ(calls.sleep(2ms), 0);
        EXPECT_TAKES(watch, 2ms);
    }
    EXPECT_EQ(result, 1);
    EXPECT_TRUE(kernel.halt());
    crew.join();
    EXPECT_EQ(result, -LKL_ESHUTDOWN);
}

TEST_F(Time, SetTimeMovesRealtimeAlone)
{
    const nanoseconds host_before = host_clock(CLOCK_REALTIME);
    const nanoseconds monotonic = read(LKL_CLOCK_MONOTONIC);
    const nanoseconds before = read(LKL_CLOCK_REALTIME);
    ASSERT_EQ(set_realtime(before + 24h), 0);
    EXPECT_GE(read(LKL_CLOCK_REALTIME), before + 24h);
    EXPECT_LT(read(LKL_CLOCK_REALTIME), before + 24h + late);
    EXPECT_GE(read(LKL_CLOCK_MONOTONIC), monotonic);
    EXPECT_LT(read(LKL_CLOCK_MONOTONIC), monotonic + late);
    EXPECT_LT(host_clock(CLOCK_REALTIME), host_before + late);
}

TEST_F(Time, SetTimeWakesWhoWaitsForIt)
{
    const nanoseconds until = read(LKL_CLOCK_REALTIME) + 1000s;
    std::atomic<bool> asleep{false};
    std::atomic<long> result{1};
    Crew crew;
    crew.add([&] {
        asleep = true;
        result = sleep(LKL_CLOCK_REALTIME, absolute, until);
    });
    while (!asleep)
        std::this_thread::yield();
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(result, 1);
    ASSERT_EQ(set_realtime(until + 1s), 0);
    crew.join();
    EXPECT_EQ(result, 0);
}

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
    // Nobody is in the kernel meanwhile.
    std::this_thread::sleep_for(50ms);
    const long first = take(fd);
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

TEST_F(Time, TimeoutsOfPollSelectAndEpoll)
{
    std::array<int, 2> fds{};
    ASSERT_EQ(calls.pipe(fds.data()), 0);
    const long epoll = kernel.syscall(__lkl__NR_epoll_create1, 0);
    struct lkl_epoll_event event {
        LKL_EPOLLIN, 0
    };
    ASSERT_EQ(kernel.syscall(__lkl__NR_epoll_ctl, epoll, LKL_EPOLL_CTL_ADD, fds[0], &event), 0);
    for (const nanoseconds time : {nanoseconds(0), nanoseconds(1ms), nanoseconds(40ms)}) {
        const TimeSpec wanted = to_timespec(time);
        {
            const Stopwatch watch;
            struct lkl_pollfd poll {
                fds[0], LKL_POLLIN, 0
            };
            TimeSpec limit = wanted;
            EXPECT_EQ(kernel.syscall(__lkl__NR_ppoll, &poll, 1, &limit, nullptr, 8), 0);
            EXPECT_TAKES(watch, time);
        }
        {
            const Stopwatch watch;
            std::array<unsigned long, 16> set{};
            set[0] = 1ul << fds[0];
            TimeSpec limit = wanted;
            EXPECT_EQ(kernel.syscall(__lkl__NR_pselect6, fds[0] + 1, set.data(), nullptr, nullptr,
                                     &limit, nullptr),
                      0);
            EXPECT_EQ(set[0], 0u);
            EXPECT_TAKES(watch, time);
        }
        {
            const Stopwatch watch;
            struct lkl_epoll_event out {};
            EXPECT_EQ(kernel.syscall(__lkl__NR_epoll_pwait, epoll, &out, 1, time / 1ms, nullptr, 8),
                      0);
            EXPECT_TAKES(watch, time);
        }
        {
            const Stopwatch watch;
            struct lkl_epoll_event out {};
            EXPECT_EQ(kernel.syscall(__lkl__NR_epoll_pwait2, epoll, &out, 1, &wanted, nullptr, 8),
                      0);
            EXPECT_TAKES(watch, time);
        }
    }
}

TEST_F(Time, TimeoutsOfFutexes)
{
    uint32_t word = 0;
    {
        const Stopwatch watch;
        const TimeSpec limit = to_timespec(15ms);
        EXPECT_EQ(kernel.syscall(__lkl__NR_futex, &word, LKL_FUTEX_WAIT, 0, &limit),
                  -LKL_ETIMEDOUT);
        EXPECT_TAKES(watch, 15ms);
    }
    for (const int clock : {LKL_CLOCK_MONOTONIC, LKL_CLOCK_REALTIME}) {
        const int op = LKL_FUTEX_WAIT_BITSET | LKL_FUTEX_PRIVATE_FLAG |
                       (clock == LKL_CLOCK_REALTIME ? LKL_FUTEX_CLOCK_REALTIME : 0);
        const nanoseconds until = read(clock) + 15ms;
        const TimeSpec limit = to_timespec(until);
        const Stopwatch watch;
        EXPECT_EQ(kernel.syscall(__lkl__NR_futex, &word, op, 0, &limit, nullptr, ~0u),
                  -LKL_ETIMEDOUT);
        EXPECT_GE(read(clock), until);
        EXPECT_LT(watch.elapsed(), 15ms + late);
    }
}

// What the handlers saw.
std::atomic<int> handled{0};
std::atomic<int> handled_signal{0};
std::atomic<int> handled_code{0};
std::atomic<long> handled_value{0};
std::atomic<pthread_t> handled_by{};

void handler(int signal, lkl_siginfo_t* info, void*)
{
    handled_signal = signal;
    handled_code = info->si_code;
    handled_value = info->lkl_si_value.sival_int;
    handled_by = ::pthread_self();
    ++handled;
}

class Signals : public Time {
protected:
    void SetUp() override
    {
        handled = 0;
        handled_signal = 0;
    }
    long install(int signal, void (*function)(int, lkl_siginfo_t*, void*), unsigned long flags = 0)
    {
        struct lkl_sigaction action {};
        action.lkl_sa_handler =
            reinterpret_cast<__lkl__sighandler_t>(reinterpret_cast<void*>(function));
        action.sa_flags = flags | LKL_SA_SIGINFO;
        return kernel.syscall(__lkl__NR_rt_sigaction, signal, &action, nullptr, 8);
    }
    long block(int signal, bool blocked = true)
    {
        const unsigned long set = 1ul << (signal - 1);
        return kernel.syscall(__lkl__NR_rt_sigprocmask, blocked ? LKL_SIG_BLOCK : LKL_SIG_UNBLOCK,
                              &set, nullptr, 8);
    }
    long send(long tid, int signal) { return kernel.syscall(__lkl__NR_tgkill, 1, tid, signal); }
    long alarm_in(nanoseconds first, nanoseconds then = 0ns)
    {
        const auto to_timeval = [](nanoseconds ns) {
            return __lkl__kernel_old_timeval{ns.count() / 1'000'000'000,
                                             ns.count() % 1'000'000'000 / 1000};
        };
        struct __lkl__kernel_old_itimerval value {
            to_timeval(then), to_timeval(first)
        };
        return kernel.syscall(__lkl__NR_setitimer, 0 /* ITIMER_REAL */, &value, nullptr);
    }
    // Until a thread sleeps in its call.
    void wait_until_asleep(long tid)
    {
        calls.mount_at("proc", "/proc");
        for (int i = 0; i < 5000 && calls.task_state(tid) != 'S'; ++i)
            std::this_thread::sleep_for(1ms);
        EXPECT_EQ(calls.task_state(tid), 'S');
    }
};

struct BlockingCall {
    const char* name;
    std::function<long(Kernel&, Calls&, const std::array<int, 2>&)> call;
};

const BlockingCall blocking[] = {
    {"nanosleep", [](Kernel&, Calls& c, const auto&) { return c.sleep(never); }},
    {"pipe",
     [](Kernel&, Calls& c, const auto& fds) {
         char byte;
         return c.read(fds[0], &byte, 1);
     }},
    {"ppoll",
     [](Kernel& k, Calls&, const auto& fds) {
         struct lkl_pollfd poll {
             fds[0], LKL_POLLIN, 0
         };
         return k.syscall(__lkl__NR_ppoll, &poll, 1, nullptr, nullptr, 8);
     }},
    {"futex",
     [](Kernel& k, Calls&, const auto&) {
         const TimeSpec limit = to_timespec(never);
         uint32_t word = 0;
         return k.syscall(__lkl__NR_futex, &word, LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, 0,
                          &limit);
     }},
    {"rt_sigsuspend",
     [](Kernel& k, Calls&, const auto&) {
         const unsigned long none = 0;
         return k.syscall(__lkl__NR_rt_sigsuspend, &none, 8);
     }},
    {"epoll_pwait",
     [](Kernel& k, Calls&, const auto&) {
         const long epoll = k.syscall(__lkl__NR_epoll_create1, 0);
         struct lkl_epoll_event out {};
         return k.syscall(__lkl__NR_epoll_pwait, epoll, &out, 1, -1, nullptr, 8);
     }},
};

TEST_F(Signals, InterruptSleepingCalls)
{
    std::array<int, 2> fds{};
    ASSERT_EQ(calls.pipe(fds.data()), 0);
    ASSERT_EQ(install(LKL_SIGUSR1, handler), 0);
    for (const BlockingCall& b : blocking) {
        handled = 0;
        std::atomic<long> tid{0};
        std::atomic<long> result{0};
        Crew crew;
        pthread_t self{};
        crew.add([&] {
            self = ::pthread_self();
            tid = calls.gettid();
            result = b.call(kernel, calls, fds);
        });
        while (tid == 0)
            std::this_thread::yield();
        wait_until_asleep(tid);
        ASSERT_EQ(send(tid, LKL_SIGUSR1), 0);
        crew.join();
        EXPECT_EQ(result, -LKL_EINTR) << b.name;
        EXPECT_EQ(handled, 1) << b.name;
        EXPECT_EQ(handled_signal, LKL_SIGUSR1);
        EXPECT_EQ(handled_by.load(), self) << b.name;
    }
}

TEST_F(Signals, AnInterruptedSleepSaysWhatIsLeft)
{
    ASSERT_EQ(install(LKL_SIGUSR1, handler), 0);
    std::atomic<long> tid{0};
    TimeSpec left{};
    long result = 0;
    Crew crew;
    crew.add([&] {
        tid = calls.gettid();
        result = sleep(LKL_CLOCK_MONOTONIC, 0, never, &left);
    });
    while (tid == 0)
        std::this_thread::yield();
    wait_until_asleep(tid);
    ASSERT_EQ(send(tid, LKL_SIGUSR1), 0);
    crew.join();
    EXPECT_EQ(result, -LKL_EINTR);
    EXPECT_LT(to_ns(left), never);
    EXPECT_GT(to_ns(left), never - late);
}

TEST_F(Signals, RestartACallThatAsksForIt)
{
    std::array<int, 2> fds{};
    ASSERT_EQ(calls.pipe(fds.data()), 0);
    ASSERT_EQ(install(LKL_SIGUSR1, handler, LKL_SA_RESTART), 0);
    std::atomic<long> tid{0};
    std::atomic<long> result{0};
    Crew crew;
    crew.add([&] {
        tid = calls.gettid();
        char byte = 0;
        result = calls.read(fds[0], &byte, 1);
    });
    while (tid == 0)
        std::this_thread::yield();
    for (int i = 1; i <= 3; ++i) {
        wait_until_asleep(tid);
        ASSERT_EQ(send(tid, LKL_SIGUSR1), 0);
        for (int n = 0; n < 5000 && handled < i; ++n)
            std::this_thread::sleep_for(1ms);
        EXPECT_EQ(handled, i);
    }
    EXPECT_EQ(calls.write(fds[1], "x", 1), 1);
    crew.join();
    EXPECT_EQ(result, 1);
}

// Nobody is in a call: the handler runs at the end of the next one.
TEST_F(Signals, WaitForTheNextCall)
{
    ASSERT_EQ(install(LKL_SIGALRM, handler), 0);
    ASSERT_EQ(alarm_in(5ms), 0);
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(handled, 0);
    const Stopwatch watch;
    while (handled == 0 && watch.elapsed() < late)
        EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(handled_signal, LKL_SIGALRM);
}

// A signal that nobody takes is no hindrance to a thread that comes, and is its own.
TEST_F(Signals, PendingOnesGoToAThreadThatComes)
{
    ASSERT_EQ(install(LKL_SIGUSR2, handler), 0);
    ASSERT_EQ(block(LKL_SIGUSR2), 0);
    ASSERT_EQ(kernel.syscall(__lkl__NR_kill, 1, LKL_SIGUSR2), 0);
    EXPECT_EQ(handled, 0);
    pthread_t self{};
    std::thread([&] {
        self = ::pthread_self();
        for (int i = 0; i < 100; ++i)
            EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    }).join();
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(handled_by.load(), self);
}

TEST_F(Signals, AnAlarmInterruptsTheOnlyThread)
{
    ASSERT_EQ(install(LKL_SIGALRM, handler), 0);
    for (int i = 1; i <= 5; ++i) {
        const Stopwatch watch;
        ASSERT_EQ(alarm_in(20ms), 0);
        EXPECT_EQ(calls.sleep(never), -LKL_EINTR);
        EXPECT_TAKES(watch, 20ms);
        EXPECT_EQ(handled, i);
        EXPECT_EQ(handled_signal, LKL_SIGALRM);
    }
}

TEST_F(Signals, AnIntervalTimerRepeats)
{
    ASSERT_EQ(install(LKL_SIGALRM, handler), 0);
    const Stopwatch watch;
    ASSERT_EQ(alarm_in(5ms, 5ms), 0);
    for (int i = 1; i <= 10; ++i)
        EXPECT_EQ(calls.sleep(never), -LKL_EINTR);
    EXPECT_GE(watch.elapsed(), 50ms);
    ASSERT_EQ(alarm_in(0ns), 0);
    struct __lkl__kernel_old_itimerval left {};
    EXPECT_EQ(kernel.syscall(__lkl__NR_getitimer, 0, &left), 0);
    EXPECT_EQ(left.it_value.tv_sec, 0);
    EXPECT_EQ(left.it_value.tv_usec, 0);
    EXPECT_EQ(calls.sleep(20ms), 0);
}

// The thread that does not block it gets it, not the one that made the timer.
TEST_F(Signals, AnAlarmGoesToAThreadThatTakesIt)
{
    ASSERT_EQ(install(LKL_SIGALRM, handler), 0);
    ASSERT_EQ(block(LKL_SIGALRM), 0);
    pthread_t self{};
    std::atomic<long> result{0};
    std::atomic<bool> ready{false};
    Crew crew;
    crew.add([&] {
        self = ::pthread_self();
        EXPECT_EQ(block(LKL_SIGALRM, false), 0);
        ready = true;
        result = calls.sleep(never);
    });
    while (!ready)
        std::this_thread::yield();
    ASSERT_EQ(alarm_in(20ms), 0);
    crew.join();
    EXPECT_EQ(result, -LKL_EINTR);
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(handled_by.load(), self);
}

// A signal to the process wakes a thread that waits for it.
TEST_F(Signals, ToTheProcess)
{
    ASSERT_EQ(block(LKL_SIGUSR2), 0);
    std::atomic<bool> ready{false};
    std::atomic<long> result{0};
    Crew crew;
    crew.add([&] {
        EXPECT_EQ(block(LKL_SIGUSR2), 0);
        const unsigned long set = 1ul << (LKL_SIGUSR2 - 1);
        ready = true;
        result = kernel.syscall(__lkl__NR_rt_sigtimedwait, &set, nullptr, nullptr, 8);
    });
    while (!ready)
        std::this_thread::yield();
    std::this_thread::sleep_for(5ms);
    ASSERT_EQ(kernel.syscall(__lkl__NR_kill, 1, LKL_SIGUSR2), 0);
    crew.join();
    EXPECT_EQ(result, LKL_SIGUSR2);
}

TEST_F(Signals, WaitingForOneEndsInTime)
{
    ASSERT_EQ(block(LKL_SIGUSR2), 0);
    const unsigned long set = 1ul << (LKL_SIGUSR2 - 1);
    const TimeSpec limit = to_timespec(20ms);
    const Stopwatch watch;
    EXPECT_EQ(kernel.syscall(__lkl__NR_rt_sigtimedwait, &set, nullptr, &limit, 8), -LKL_EAGAIN);
    EXPECT_TAKES(watch, 20ms);
}

TEST_F(Signals, WritingToAClosedPipe)
{
    std::array<int, 2> fds{};
    ASSERT_EQ(calls.pipe(fds.data()), 0);
    ASSERT_EQ(calls.close(fds[0]), 0);
    // Without a handler it does no harm: the process is the kernel's first.
    EXPECT_EQ(calls.write(fds[1], "x", 1), -LKL_EPIPE);
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    ASSERT_EQ(install(LKL_SIGPIPE, handler), 0);
    EXPECT_EQ(calls.write(fds[1], "x", 1), -LKL_EPIPE);
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(handled_signal, LKL_SIGPIPE);
    EXPECT_EQ(handled_by.load(), ::pthread_self());
}

TEST_F(Signals, WritingToAPipeThatIsClosedMeanwhile)
{
    ASSERT_EQ(install(LKL_SIGPIPE, handler), 0);
    std::array<int, 2> fds{};
    ASSERT_EQ(calls.pipe(fds.data()), 0);
    std::atomic<long> tid{0};
    std::atomic<long> result{0};
    Crew crew;
    crew.add([&] {
        tid = calls.gettid();
        const std::vector<char> much(1 << 20);
        result = calls.write(fds[1], much.data(), much.size());
    });
    while (tid == 0)
        std::this_thread::yield();
    for (int waiting = 0; waiting < 65536; std::this_thread::yield())
        ASSERT_EQ(kernel.syscall(__lkl__NR_ioctl, fds[0], LKL_FIONREAD, &waiting), 0);
    wait_until_asleep(tid);
    ASSERT_EQ(calls.close(fds[0]), 0);
    crew.join();
    // What went into the pipe counts.
    EXPECT_EQ(result, 65536);
    EXPECT_EQ(handled, 1);
}

class PosixTimers : public Signals {
protected:
    static constexpr int signal = LKL_SIGRTMIN + 4;

    int create(int clock, int notify, long tid = 0)
    {
        lkl_sigevent_t event{};
        event.sigev_notify = notify;
        event.sigev_signo = signal;
        event.sigev_value.sival_int = 4711;
        event.lkl_sigev_notify_thread_id = static_cast<int>(tid);
        int timer = -1;
        EXPECT_EQ(kernel.syscall(__lkl__NR_timer_create, clock, &event, &timer), 0);
        return timer;
    }
    long set(int timer, int flags, nanoseconds first, nanoseconds then = 0ns)
    {
        const TimerSpec spec{to_timespec(then), to_timespec(first)};
        return kernel.syscall(__lkl__NR_timer_settime, timer, flags, &spec, nullptr);
    }
};

TEST_F(PosixTimers, CallTheHandlerWithTheirValue)
{
    ASSERT_EQ(install(signal, handler), 0);
    for (const int clock : {LKL_CLOCK_REALTIME, LKL_CLOCK_MONOTONIC, LKL_CLOCK_BOOTTIME}) {
        handled = 0;
        const int timer = create(clock, LKL_SIGEV_SIGNAL);
        const Stopwatch watch;
        ASSERT_EQ(set(timer, 0, 15ms), 0);
        EXPECT_EQ(calls.sleep(never), -LKL_EINTR);
        EXPECT_TAKES(watch, 15ms);
        EXPECT_EQ(handled, 1);
        EXPECT_EQ(handled_signal, signal);
        EXPECT_EQ(handled_code, LKL_SI_TIMER);
        EXPECT_EQ(handled_value, 4711);

        ASSERT_EQ(set(timer, absolute, read(clock) + 5ms), 0);
        EXPECT_EQ(calls.sleep(never), -LKL_EINTR);
        EXPECT_EQ(handled, 2);
        EXPECT_EQ(kernel.syscall(__lkl__NR_timer_delete, timer), 0);
        EXPECT_EQ(set(timer, 0, 1ms), -LKL_EINVAL);
    }
}

TEST_F(PosixTimers, SignalOneThread)
{
    ASSERT_EQ(install(signal, handler), 0);
    std::atomic<long> tid{0};
    std::atomic<long> result{0};
    pthread_t self{};
    Crew crew;
    crew.add([&] {
        self = ::pthread_self();
        tid = calls.gettid();
        result = calls.sleep(never);
    });
    while (tid == 0)
        std::this_thread::yield();
    const int timer = create(LKL_CLOCK_MONOTONIC, LKL_SIGEV_THREAD_ID, tid);
    ASSERT_EQ(set(timer, 0, 10ms), 0);
    EXPECT_EQ(calls.sleep(50ms), 0);
    crew.join();
    EXPECT_EQ(result, -LKL_EINTR);
    EXPECT_EQ(handled_by.load(), self);
}

TEST_F(PosixTimers, CountWhatWasMissed)
{
    ASSERT_EQ(block(signal), 0);
    const int timer = create(LKL_CLOCK_MONOTONIC, LKL_SIGEV_SIGNAL);
    const Stopwatch watch;
    ASSERT_EQ(set(timer, 0, 1ms, 1ms), 0);
    std::this_thread::sleep_for(60ms);
    const unsigned long wanted = 1ul << (signal - 1);
    lkl_siginfo_t info{};
    EXPECT_EQ(kernel.syscall(__lkl__NR_rt_sigtimedwait, &wanted, &info, nullptr, 8), signal);
    EXPECT_GE(info.lkl_si_overrun, 50);
    EXPECT_LE(info.lkl_si_overrun, watch.elapsed() / 1ms);
    EXPECT_EQ(kernel.syscall(__lkl__NR_timer_getoverrun, timer), info.lkl_si_overrun);
    EXPECT_EQ(kernel.syscall(__lkl__NR_timer_delete, timer), 0);
}

TEST_F(PosixTimers, WithoutASignalTheyTellTheirTime)
{
    const int timer = create(LKL_CLOCK_MONOTONIC, LKL_SIGEV_NONE);
    ASSERT_EQ(set(timer, 0, 1000s), 0);
    TimerSpec left{};
    ASSERT_EQ(kernel.syscall(__lkl__NR_timer_gettime, timer, &left), 0);
    EXPECT_LE(to_ns(left.it_value), 1000s);
    EXPECT_GT(to_ns(left.it_value), 1000s - late);
    ASSERT_EQ(set(timer, 0, 1ms), 0);
    EXPECT_EQ(calls.sleep(5ms), 0);
    ASSERT_EQ(kernel.syscall(__lkl__NR_timer_gettime, timer, &left), 0);
    EXPECT_EQ(to_ns(left.it_value), 0ns);
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
