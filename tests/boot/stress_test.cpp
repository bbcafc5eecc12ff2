// SPDX-License-Identifier: GPL-2.0-only
// 64 threads that call one kernel without a pause: each of them gets on, all end,
// and nothing is left over. LKL_STRESS_SECONDS says for how long (60).
// ctest: SERIAL TIMEOUT=900
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <lkl/linux/eventfd.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/futex.h>

#include <support/kernel.hpp>
#include <support/process.hpp>

namespace lkl::test {
namespace {

std::chrono::seconds stress_time()
{
    const char* const text = std::getenv("LKL_STRESS_SECONDS");
    const long seconds = text ? std::atol(text) : 0;
    return std::chrono::seconds(seconds > 0 ? seconds : 60);
}

constexpr size_t threads = 64;

// What all share.
struct Shared {
    explicit Shared(Kernel& k) : kernel(k)
    {
        Calls calls(k);
        calls.mount_at("tmpfs", "/tmp");
        for (auto& pipe : pipes)
            EXPECT_EQ(calls.pipe(pipe.data()), 0);
        event = k.syscall(__lkl__NR_eventfd2, 0, LKL_EFD_SEMAPHORE);
        epoll = k.syscall(__lkl__NR_epoll_create1, 0);
        EXPECT_GE(event, 0);
        EXPECT_GE(epoll, 0);
        struct lkl_epoll_event interest {};
        interest.events = LKL_EPOLLIN | LKL_EPOLLEXCLUSIVE;
        EXPECT_EQ(k.syscall(__lkl__NR_epoll_ctl, epoll, LKL_EPOLL_CTL_ADD, event, &interest), 0);
    }

    Kernel& kernel;
    // Thread 2n writes to pipe n what thread 2n+1 reads.
    std::array<std::array<int, 2>, threads / 2> pipes{};
    std::array<std::atomic<uint32_t>, threads> words{};
    std::array<std::atomic<long>, threads> steps{};
    long event = -1, epoll = -1;
    std::atomic<bool> stop{false};
};

// Each wait has somebody who ends it: the partner's next step, or the partner's end.
class Worker {
public:
    Worker(Shared& shared, size_t number)
        : shared_(shared), calls_(shared.kernel), number_(number), partner_(number ^ 1)
    {
    }

    void run()
    {
        while (!shared_.stop && !testing::Test::HasFailure()) {
            step(steps_++);
            ++shared_.steps[number_];
        }
        // Whoever reads from us, or waits for our word, may have begun before.
        for (int i = 0; i < 8; ++i)
            post();
        calls_.close(number_ % 2 == 0 ? shared_.pipes[number_ / 2][1] : -1);
    }

private:
    void step(int n)
    {
        switch (n % 6) {
        case 0:
            for (int i = 0; i < 20; ++i)
                ASSERT_EQ(shared_.kernel.syscall(__lkl__NR_getppid), 0);
            break;
        case 1:
            pipe();
            break;
        case 2:
            file();
            break;
        case 3:
            post();
            break;
        case 4:
            futex();
            break;
        default:
            epoll();
            break;
        }
    }

    void pipe()
    {
        const auto& fds = shared_.pipes[number_ / 2];
        uint64_t value = sent_;
        if (number_ % 2 == 0) {
            ASSERT_EQ(calls_.write(fds[1], &value, sizeof value), 8);
            ++sent_;
            return;
        }
        const long n = calls_.read(fds[0], &value, sizeof value);
        if (n == 0)
            return;  // the partner has ended
        ASSERT_EQ(n, 8);
        ASSERT_EQ(value, sent_);
        ++sent_;
    }

    void file()
    {
        const std::string path = "/tmp/" + std::to_string(number_);
        const long fd = calls_.open(path.c_str(), LKL_O_RDWR | LKL_O_CREAT | LKL_O_EXCL);
        ASSERT_GE(fd, 0);
        ASSERT_EQ(calls_.write(fd, path.data(), path.size()), static_cast<long>(path.size()));
        ASSERT_EQ(calls_.close(fd), 0);
        ASSERT_EQ(calls_.unlink(path.c_str()), 0);
    }

    void post()
    {
        ++shared_.words[number_];
        EXPECT_GE(shared_.kernel.syscall(__lkl__NR_futex, &shared_.words[number_],
                                         LKL_FUTEX_WAKE | LKL_FUTEX_PRIVATE_FLAG, 64),
                  0);
    }

    // Waits for the partner's next post, which comes with each round of its.
    void futex()
    {
        std::atomic<uint32_t>& word = shared_.words[partner_];
        if (number_ % 2 == 0 || shared_.stop)
            return;  // one of the two waits, else both would
        const long n = shared_.kernel.syscall(
            __lkl__NR_futex, &word, LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, word.load(), &limit_);
        ASSERT_TRUE(n == 0 || n == -LKL_EAGAIN) << "lost: " << n;
    }

    void epoll()
    {
        const uint64_t one = 1;
        ASSERT_EQ(calls_.write(shared_.event, &one, sizeof one), 8);
        // As many posts as takers; ours may be taken by another, then theirs is left.
        struct lkl_epoll_event event;
        ASSERT_EQ(shared_.kernel.syscall(__lkl__NR_epoll_pwait, shared_.epoll, &event, 1, 60'000,
                                         nullptr, 8),
                  1)
            << "lost";
        uint64_t count = 0;
        ASSERT_EQ(calls_.read(shared_.event, &count, sizeof count), 8);
        ASSERT_EQ(count, 1u);
    }

    Shared& shared_;
    Calls calls_;
    const size_t number_, partner_;
    int steps_ = 0;
    uint64_t sent_ = 0;
    const TimeSpec limit_ = to_timespec(60s);
};

TEST(Stress, SixtyFourThreadsAllGetOnAndEnd)
{
    const auto time = stress_time();
    const Watchdog watchdog(time + 120s, "64 threads");
    Kernel kernel = boot();
    Shared shared(kernel);
    Crew crew;
    for (size_t i = 0; i < threads; ++i)
        crew.add([&shared, i] { Worker(shared, i).run(); });

    // Nobody stands still for as long as a tenth of the time.
    std::array<long, threads> before{};
    const auto part = std::chrono::duration_cast<std::chrono::milliseconds>(time) / 10;
    for (int round = 0; round < 10; ++round) {
        std::this_thread::sleep_for(part);
        for (size_t i = 0; i < threads; ++i) {
            const long steps = shared.steps[i];
            EXPECT_GT(steps, before[i]) << "thread " << i << " in part " << round;
            before[i] = steps;
        }
    }
    shared.stop = true;
    crew.join();
    long total = 0;
    for (const auto& steps : shared.steps)
        total += steps;
    RecordProperty("steps", std::to_string(total));
    std::printf("%ld steps in %lld s\n", total, static_cast<long long>(time.count()));

    EXPECT_EQ(Calls(kernel).count_entries("/tmp"), 0);
    Calls(kernel).mount_at("proc", "/proc");
    EXPECT_TRUE(kernel.halt());
}

// The same in the shortest calls: whoever carries the kernel must not do so for
// ever while the others keep it busy.
TEST(Stress, NobodyCarriesForTheOthersForLong)
{
    const Watchdog watchdog(120s, "short calls of many threads");
    Kernel kernel = boot();
    const auto longest_call = [&kernel] {
        std::atomic<bool> stop{false};
        std::array<uint64_t, 16> longest{};
        Crew crew;
        crew.add(static_cast<int>(longest.size()), [&](int i) {
            uint64_t worst = 0;
            while (!stop) {
                const uint64_t start = now_ns();
                EXPECT_EQ(kernel.syscall(__lkl__NR_getppid), 0);
                worst = std::max(worst, now_ns() - start);
            }
            longest[static_cast<size_t>(i)] = worst;
        });
        std::this_thread::sleep_for(3s);
        stop = true;
        crew.join();
        return *std::max_element(longest.begin(), longest.end());
    };
    // A sanity bound: 16 threads share the host's processors with whatever else runs, and it may
    // stand still for as long, but not each time.
    constexpr uint64_t bound = 1'500'000'000;
    uint64_t longest = bound;
    for (int tries = 0; tries < 5 && longest >= bound; ++tries)
        longest = longest_call();
    EXPECT_LT(longest, bound);
}

}  // namespace
}  // namespace lkl::test
