// SPDX-License-Identifier: GPL-2.0-only
// Host threads come and go; their tasks in the kernel do so with them.
#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <lkl/asm/resource.h>
#include <lkl/linux/futex.h>
#include <lkl/linux/sched.h>

#include <support/image.hpp>
#include <support/kernel.hpp>
#include <support/process.hpp>

namespace lkl::test {
namespace {

class Threads : public testing::Test {
protected:
    void SetUp() override { calls.mount_at("proc", "/proc"); }

    long tasks() { return calls.count_entries("/proc/1/task"); }

    // A task that ended may take a moment to vanish.
    long settled_tasks(long expected)
    {
        for (int i = 0; i < 3000 && tasks() != expected; ++i)
            std::this_thread::sleep_for(10ms);
        return tasks();
    }
    uint64_t free_memory()
    {
        const std::string text = calls.read_file("/proc/meminfo");
        const size_t at = text.find("MemFree:");
        return at == std::string::npos ? 0 : std::stoull(text.substr(at + 8));
    }

    const Watchdog watchdog{std::chrono::seconds(120), "threads"};
    Kernel kernel = boot();
    Calls calls{kernel};
};

TEST_F(Threads, EachHasATaskOfItsOwnAndKeepsIt)
{
    std::mutex mutex;
    std::set<long> tids;
    Crew crew;
    std::atomic<int> arrived{0};
    crew.add(10, [&](int) {
        const long tid = calls.gettid();
        EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
        {
            const std::lock_guard lock(mutex);
            tids.insert(tid);
        }
        ++arrived;
        while (arrived < 10)
            std::this_thread::yield();
        for (int i = 0; i < 100; ++i)
            ASSERT_EQ(calls.gettid(), tid);
    });
    crew.join();
    EXPECT_EQ(tids.size(), 10u);
    EXPECT_EQ(tids.count(calls.gettid()), 0u);
}

TEST_F(Threads, TwoThousandShortOnesAreAllReaped)
{
    const auto batch = [&](int count) {
        for (int done = 0; done < count; done += 20) {
            Crew crew;
            crew.add(20, [&](int) {
                ASSERT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
                ASSERT_EQ(calls.sleep(1us), 0);
            });
        }
    };
    const long base = tasks();
    batch(200);
    EXPECT_EQ(settled_tasks(base), base);
    const uint64_t memory = free_memory();
    const size_t descriptors = count_descriptors();
    const size_t mappings = count_mappings();
    const uint64_t host_memory = process_status("RssAnon");
    batch(2000);
    EXPECT_EQ(settled_tasks(base), base);
    EXPECT_EQ(count_descriptors(), descriptors);
    // In KiB: a stack that is left each time would be 64 MiB. Checkers remember stacks.
    EXPECT_GT(free_memory() + 4096 + (checkers_memory() >> 14), memory);
    if (!sanitized()) {
        EXPECT_LT(process_status("RssAnon"), host_memory + 1024);
    }
    // Freed kernel stacks are unmapped in lots: the kernel keeps up to 32 MiB of them
    // (lazy_max_pages() in mm/vmalloc.c), in the worst case a mapping a page.
    EXPECT_LT(count_mappings(), mappings + 8192 + 500);
}

// Its end is a call as well, which must come through however busy the kernel is.
TEST_F(Threads, EndWhileOthersKeepTheKernelBusy)
{
    const long base = tasks();
    std::atomic<bool> stop{false};
    Crew busy;
    busy.add(16, [&](int) {
        while (!stop)
            EXPECT_EQ(kernel.syscall(__lkl__NR_getppid), 0);
    });
    uint64_t longest = 0;
    for (int i = 0; i < 200; ++i) {
        std::thread thread([&] { EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1); });
        const uint64_t start = now_ns();
        thread.join();
        longest = std::max(longest, now_ns() - start);
    }
    stop = true;
    // Against a thread that carries on for the others until they stop: a sanity bound.
    EXPECT_LT(longest, 20'000'000'000u);
    busy.join();
    EXPECT_EQ(settled_tasks(base), base);
}

TEST_F(Threads, WithoutACallHaveNoTask)
{
    const long base = tasks();
    Crew crew;
    std::atomic<bool> stop{false};
    crew.add(5, [&](int) {
        while (!stop)
            std::this_thread::sleep_for(1ms);
    });
    EXPECT_EQ(tasks(), base);
    stop = true;
}

TEST_F(Threads, ShareDescriptorsAndDirectory)
{
    ASSERT_EQ(calls.mkdir("/here"), 0);
    int fds[2];
    std::thread([&] {
        ASSERT_EQ(calls.pipe(fds), 0);
        ASSERT_EQ(kernel.syscall(__lkl__NR_chdir, "/here"), 0);
        ASSERT_EQ(calls.write(fds[1], "text", 4), 4);
    }).join();
    char text[5] = "";
    EXPECT_EQ(calls.read(fds[0], text, 4), 4);
    EXPECT_STREQ(text, "text");
    char directory[32] = "";
    EXPECT_EQ(kernel.syscall(__lkl__NR_getcwd, directory, sizeof directory), 6);
    EXPECT_STREQ(directory, "/here");
}

TEST_F(Threads, MayHaveDescriptorsOfTheirOwn)
{
    const long mine = calls.open("/proc/version", LKL_O_RDONLY);
    ASSERT_GE(mine, 0);
    std::thread([&] {
        ASSERT_EQ(kernel.syscall(__lkl__NR_unshare, LKL_CLONE_FILES), 0);
        EXPECT_EQ(calls.close(mine), 0);
        EXPECT_GE(calls.open("/proc/meminfo", LKL_O_RDONLY), 0);
    }).join();
    char byte;
    EXPECT_EQ(calls.read(mine, &byte, 1), 1);
    EXPECT_EQ(calls.close(mine), 0);
}

TEST_F(Threads, ThatTheKernelHasNoRoomForGetAnErrorAndTryAgain)
{
    const std::string limit = calls.read_file("/proc/sys/kernel/threads-max");
    // The least that the kernel lets one set, and fewer than it has by itself.
    ASSERT_EQ(calls.write_file("/proc/sys/kernel/threads-max", "20"), 0);
    std::atomic<long> first{0};
    std::atomic<bool> raised{false};
    long second = 0;
    Crew crew;
    crew.add([&] {
        first = kernel.syscall(__lkl__NR_getpid);
        while (!raised)
            std::this_thread::yield();
        second = kernel.syscall(__lkl__NR_getpid);
    });
    while (first == 0)
        std::this_thread::yield();
    EXPECT_EQ(first, -LKL_EAGAIN);
    // Who has a task goes on.
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    EXPECT_EQ(calls.write_file("/proc/sys/kernel/threads-max", limit), 0);
    raised = true;
    crew.join();
    EXPECT_EQ(second, 1);
}

// set_tid_address(2): the word is cleared and its waiter woken when the task ends,
// while the memory is the program's as ever.
TEST_F(Threads, ClearTheirWordAtTheEnd)
{
    std::atomic<uint32_t> word{1};
    std::thread thread([&] { EXPECT_GT(kernel.syscall(__lkl__NR_set_tid_address, &word), 0); });
    while (word != 0) {
        const TimeSpec limit = to_timespec(10s);
        const long n = kernel.syscall(__lkl__NR_futex, &word, LKL_FUTEX_WAIT, 1, &limit);
        ASSERT_TRUE(n == 0 || n == -LKL_EAGAIN) << n;
    }
    thread.join();
}

// The kernel's struct robust_list and robust_list_head.
struct RobustMutex {
    void* next;
    std::atomic<uint32_t> word;
};
struct RobustList {
    void* first = this;
    long offset = offsetof(RobustMutex, word);
    void* pending = nullptr;
};

// A mutex whose owner ends is marked for the next one (robust futexes).
TEST_F(Threads, GiveUpTheirRobustMutexes)
{
    RobustList list;
    RobustMutex mutex{&list, {0}};
    list.first = &mutex;
    std::thread([&] {
        mutex.word = static_cast<uint32_t>(calls.gettid());
        EXPECT_EQ(kernel.syscall(__lkl__NR_set_robust_list, &list, sizeof list), 0);
    }).join();
    EXPECT_TRUE(mutex.word & LKL_FUTEX_OWNER_DIED);
    EXPECT_EQ(mutex.word & LKL_FUTEX_TID_MASK, 0u);
}

// Who waits for a mutex is woken when its owner ends, also where the owner was just
// about to take it or to give it up (the pending operation).
TEST_F(Threads, WakeWhoWaitsForTheirRobustMutexes)
{
    const Watchdog watchdog(60s, "robust mutexes");
    for (int round = 0; round < 60; ++round) {
        RobustList list;
        std::array<RobustMutex, 2> mutexes{};
        mutexes[0].next = &mutexes[1];
        mutexes[1].next = &list;
        switch (round % 3) {
        case 0:
            list.first = &mutexes[0];  // in front of it one that is free
            break;
        case 1:
            list.first = &mutexes[1];
            break;
        case 2:
            list.pending = &mutexes[1];
            break;
        }
        std::atomic<bool> locked{false};
        std::atomic<int> waiting{0};
        std::thread owner([&] {
            mutexes[1].word = static_cast<uint32_t>(calls.gettid()) | LKL_FUTEX_WAITERS;
            EXPECT_EQ(kernel.syscall(__lkl__NR_set_robust_list, &list, sizeof list), 0);
            locked = true;
            while (waiting == 0)
                std::this_thread::yield();
            // Every other time the waiter has fallen asleep.
            if (round % 2)
                std::this_thread::sleep_for(1ms);
        });
        while (!locked)
            std::this_thread::yield();
        const uint32_t value = mutexes[1].word;
        waiting = 1;
        const TimeSpec limit = to_timespec(20s);
        const long n =
            kernel.syscall(__lkl__NR_futex, &mutexes[1].word, LKL_FUTEX_WAIT, value, &limit);
        EXPECT_TRUE(n == 0 || n == -LKL_EAGAIN) << "round " << round << ": " << n;
        EXPECT_EQ(mutexes[1].word, LKL_FUTEX_WAITERS | LKL_FUTEX_OWNER_DIED);
        owner.join();
    }
}

// Calls that make no sense here are refused, and harm nothing.
TEST_F(Threads, CannotForkOrExecuteOrLeave)
{
    EXPECT_EQ(kernel.syscall(__lkl__NR_clone, 17, 0, nullptr, nullptr, 0), -LKL_ENOSYS);
    const char* const arguments[] = {"/init", nullptr};
    EXPECT_EQ(kernel.syscall(__lkl__NR_execve, "/init", arguments, arguments), -LKL_ENOSYS);
    EXPECT_EQ(kernel.syscall(__lkl__NR_exit, 0), -LKL_ENOSYS);
    EXPECT_EQ(kernel.syscall(__lkl__NR_exit_group, 0), -LKL_ENOSYS);
    EXPECT_EQ(kernel.syscall(-1), -LKL_ENOSYS);
    EXPECT_EQ(kernel.syscall(100'000), -LKL_ENOSYS);
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
}

}  // namespace
}  // namespace lkl::test
