// SPDX-License-Identifier: GPL-2.0-only
// Timers that send a signal.
#include <atomic>
#include <thread>

#include "boot/signals.hpp"

namespace lkl::test {
namespace {

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

}  // namespace
}  // namespace lkl::test
