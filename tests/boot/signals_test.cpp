// SPDX-License-Identifier: GPL-2.0-only
// Signals: what they interrupt, restart, and who handles them.
#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <lkl/asm/ioctls.h>
#include <lkl/asm/poll.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/futex.h>

#include "boot/signals.hpp"

namespace lkl::test {
namespace {

struct BlockingCall {
    const char* name;
    // One call: a signal that comes before it is not lost. A pipe and an epoll are there.
    std::function<long(Kernel&, Calls&, const std::array<int, 3>&)> call;
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
     [](Kernel& k, Calls&, const auto& fds) {
         struct lkl_epoll_event out {};
         return k.syscall(__lkl__NR_epoll_pwait, fds[2], &out, 1, -1, nullptr, 8);
     }},
};

TEST_F(Signals, InterruptSleepingCalls)
{
    std::array<int, 3> fds{};
    ASSERT_EQ(calls.pipe(fds.data()), 0);
    fds[2] = static_cast<int>(kernel.syscall(__lkl__NR_epoll_create1, 0));
    ASSERT_GE(fds[2], 0);
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

}  // namespace
}  // namespace lkl::test
