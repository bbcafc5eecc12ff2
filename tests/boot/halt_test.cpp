// SPDX-License-Identifier: GPL-2.0-only
// Halting a kernel while its threads are busy, and forking a process that has one.
// ctest: SERIAL
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>

#include <lkl/asm/poll.h>
#include <lkl/asm/signal.h>
#include <lkl/linux/eventfd.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/futex.h>

#include <support/forked_child.hpp>
#include <support/kernel.hpp>
#include <support/process.hpp>

namespace lkl::test {
namespace {

// Calls that do not come back by themselves, each with what it waits for.
std::vector<std::function<long()>> blocking_calls(Kernel& kernel)
{
    Calls calls(kernel);
    auto fds = std::make_shared<std::array<int, 2>>();
    EXPECT_EQ(calls.pipe(fds->data()), 0);
    const long event = kernel.syscall(__lkl__NR_eventfd2, 0, 0);
    EXPECT_GE(event, 0);
    const long epoll = kernel.syscall(__lkl__NR_epoll_create1, 0);
    EXPECT_GE(epoll, 0);
    const int in = (*fds)[0];
    return {
        [&kernel, fds, in] {
            char byte;
            return kernel.syscall(__lkl__NR_read, in, &byte, 1);
        },
        [&kernel] {
            uint32_t word = 0;
            return kernel.syscall(__lkl__NR_futex, &word, LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG,
                                  0, nullptr);
        },
        [&kernel] { return Calls(kernel).sleep(1000s); },
        [&kernel, epoll] {
            struct lkl_epoll_event out;
            return kernel.syscall(__lkl__NR_epoll_pwait, epoll, &out, 1, -1, nullptr, 8);
        },
        [&kernel, in] {
            struct lkl_pollfd poll = {in, LKL_POLLIN, 0};
            return kernel.syscall(__lkl__NR_ppoll, &poll, 1, nullptr, nullptr, 8);
        },
        [&kernel, event] {
            uint64_t count;
            return kernel.syscall(__lkl__NR_read, event, &count, sizeof count);
        },
        [&kernel] {
            const unsigned long set = 1ul << (LKL_SIGUSR1 - 1);
            return kernel.syscall(__lkl__NR_rt_sigtimedwait, &set, nullptr, nullptr, 8);
        },
        [&kernel] {
            const TimeSpec wanted = to_timespec(std::chrono::nanoseconds(now_ns()) + 1000s);
            return kernel.syscall(__lkl__NR_clock_nanosleep, 1 /* monotonic */, 1 /* absolute */,
                                  &wanted, nullptr);
        },
    };
}

// Runs each on a thread of its own and waits until all are in their calls.
class Blocked {
public:
    Blocked(Kernel& kernel, std::vector<std::function<long()>> jobs) : results_(jobs.size())
    {
        Calls calls(kernel);
        calls.mount_at("proc", "/proc");
        std::vector<std::atomic<long>> tids(jobs.size());
        for (size_t i = 0; i < jobs.size(); ++i) {
            crew_.add([&kernel, &tids, this, i, job = std::move(jobs[i])] {
                // The last use of tids: afterwards only the results count.
                const long tid = kernel.syscall(__lkl__NR_gettid);
                tids[i].store(tid);
                results_[i] = job();
            });
        }
        for (auto& tid : tids) {
            while (tid.load() == 0)
                std::this_thread::yield();
        }
        while (kernel.activity().calls_under_way < results_.size())
            std::this_thread::yield();
        // Long enough for the last one to have gone to sleep.
        std::this_thread::sleep_for(20ms);
    }
    const std::vector<long>& join()
    {
        crew_.join();
        return results_;
    }

private:
    std::vector<long> results_;
    Crew crew_;
};

TEST(Halt, EndsAllKindsOfBlockedCalls)
{
    const Watchdog watchdog(60s, "halt with blocked calls");
    for (int round = 0; round < 10; ++round) {
        Kernel kernel = boot();
        Blocked blocked(kernel, blocking_calls(kernel));
        EXPECT_TRUE(kernel.halt());
        for (const long result : blocked.join())
            EXPECT_EQ(result, -LKL_ESHUTDOWN);
        EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ESHUTDOWN);
    }
}

TEST(Halt, DestructionEndsBlockedCallsAndWaitsForTheirThreads)
{
    const Watchdog watchdog(60s, "destruction with blocked calls");
    for (int round = 0; round < 10; ++round) {
        std::optional<Kernel> kernel(boot());
        Blocked blocked(*kernel, blocking_calls(*kernel));
        kernel.reset();
        for (const long result : blocked.join())
            EXPECT_EQ(result, -LKL_ESHUTDOWN);
    }
}

// Threads that call without a pause while the kernel ends under them, whoever
// carries it at that moment.
TEST(Halt, DuringCallsOfManyThreads)
{
    const Watchdog watchdog(120s, "halt during calls");
    for (int round = 0; round < 40; ++round) {
        Kernel kernel = boot();
        std::atomic<int> running{0};
        Crew crew;
        crew.add(6, [&](int i) {
            Calls calls(kernel);
            int fds[2] = {-1, -1};
            ASSERT_EQ(calls.pipe(fds), 0);
            ++running;
            for (;;) {
                char byte = 'x';
                long result = 0;
                switch (i % 3) {
                case 0:
                    result = kernel.syscall(__lkl__NR_getpid);
                    break;
                case 1:
                    result = calls.write(fds[1], &byte, 1);
                    if (result == 1)
                        result = calls.read(fds[0], &byte, 1);
                    break;
                default:
                    result = calls.sleep(1us) + 1;
                    break;
                }
                if (result == 1)
                    continue;
                // The sleep's result is one more, see above.
                EXPECT_EQ(i % 3 == 2 ? result - 1 : result, -LKL_ESHUTDOWN) << i;
                return;
            }
        });
        while (running < 6)
            std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::microseconds(round * 50));
        EXPECT_TRUE(kernel.halt());
        crew.join();
    }
}

TEST(Halt, ByTwoThreadsAtOnce)
{
    const Watchdog watchdog(60s, "two halts");
    for (int round = 0; round < 20; ++round) {
        Kernel kernel = boot();
        Crew crew;
        crew.add(2, [&](int) { EXPECT_TRUE(kernel.halt()); });
    }
}

// The task of the thread that halts may have no right to: of a user, or root without
// capabilities.
TEST(Halt, ByAThreadWithoutPrivileges)
{
    const Watchdog watchdog(60s, "halt without privileges");
    for (const bool as_root : {false, true}) {
        Kernel kernel = boot();
        const uint32_t header[2] = {0x20080522, 0};  // capset(2), version 3
        const uint32_t none[6] = {};
        EXPECT_EQ(as_root ? kernel.syscall(__lkl__NR_capset, header, none)
                          : kernel.syscall(__lkl__NR_setresuid, 1000, 1000, 1000),
                  0);
        EXPECT_TRUE(kernel.running());
        const auto halted = kernel.halt();
        EXPECT_TRUE(halted) << halted.error().what;
        EXPECT_FALSE(kernel.running());
        EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ESHUTDOWN);
    }
}

// Threads may end before, while and after the kernel does.
TEST(Halt, WhileThreadsEnd)
{
    const Watchdog watchdog(120s, "halt while threads end");
    for (int round = 0; round < 40; ++round) {
        std::optional<Kernel> kernel(boot());
        std::atomic<int> called{0};
        Crew crew;
        crew.add(8, [&](int i) {
            kernel->syscall(__lkl__NR_getpid);
            ++called;
            std::this_thread::sleep_for(std::chrono::microseconds(i * 100));
        });
        while (called < 8)
            std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::microseconds(round * 20));
        kernel.reset();
    }
}

bool forked = false;

// As in_forked_child(), and what runs at the end of a process runs there.
int in_child(const std::function<void()>& job)
{
    return in_forked_child([&job] {
        forked = true;
        job();
        std::exit(testing::Test::HasFailure() ? 1 : 0);
    });
}

// ThreadSanitizer ends a child of fork(2) that starts threads.
bool children_may_have_threads()
{
    const char* const sanitize = std::getenv("LKL_SANITIZE");
    return !sanitize || !std::strstr(sanitize, "thread");
}

TEST(Fork, TheChildIsRefusedAndEndsInPeace)
{
    if (!children_may_have_threads())
        GTEST_SKIP() << "not with ThreadSanitizer";
    const Watchdog watchdog(60s, "fork");
    Kernel kernel = boot();
    Calls calls(kernel);
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    const int status = in_child([&] {
        EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ECHILD);
        std::thread([&] { EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ECHILD); }).join();
        EXPECT_FALSE(kernel.halt());
        EXPECT_FALSE(kernel.remove_disk(DiskId{0, 0}));
    });
    EXPECT_EQ(status, 0) << "signal " << (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    // The parent's goes on as if nothing had been.
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    EXPECT_EQ(calls.mkdir("/after"), 0);
    EXPECT_EQ(calls.sleep(1ms), 0);
    EXPECT_TRUE(kernel.halt());
}

TEST(Fork, TheChildMayDestroyItsCopyAndStartAKernelOfItsOwn)
{
    if (!children_may_have_threads())
        GTEST_SKIP() << "not with ThreadSanitizer";
    const Watchdog watchdog(60s, "fork and start");
    auto kernel = std::make_unique<Kernel>(boot());
    EXPECT_EQ(kernel->syscall(__lkl__NR_getpid), 1);
    const int status = in_child([&] {
        kernel.reset();
        auto own = Kernel::start();
        ASSERT_TRUE(own) << own.error().what;
        EXPECT_EQ(own->syscall(__lkl__NR_getpid), 1);
        EXPECT_EQ(Calls(*own).sleep(1ms), 0);
        EXPECT_TRUE(own->halt());
    });
    EXPECT_EQ(status, 0) << "signal " << (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    EXPECT_EQ(kernel->syscall(__lkl__NR_getpid), 1);
}

TEST(Fork, WhileOtherThreadsCallStartAndEnd)
{
    const Watchdog watchdog(120s, "fork while busy");
    Kernel kernel = boot();
    std::atomic<bool> stop{false};
    Crew crew;
    crew.add(2, [&](int) {
        while (!stop)
            EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    });
    crew.add([&] {
        while (!stop)
            std::thread([&] { EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1); }).join();
    });
    crew.add([&] {
        while (!stop)
            boot();
    });
    for (int i = 0; i < 40; ++i) {
        const int status =
            in_child([&] { EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ECHILD); });
        EXPECT_EQ(status, 0) << "signal " << (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        if (status != 0)
            break;
    }
    stop = true;
}

}  // namespace
}  // namespace lkl::test

// LeakSanitizer asks at the end of a process. What the parent's threads hold is lost in
// a child, which has none of them.
extern "C" int __lsan_is_turned_off()
{
    return lkl::test::forked;
}
