// SPDX-License-Identifier: GPL-2.0-only
// The host's code runs on kernel stacks, too: what it does there with exceptions and
// big frames, and what tools that follow stacks make of it.
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <unistd.h>

#include <support/kernel.hpp>

namespace lkl::test {
namespace {

// Frames with arrays that are given up by an exception. The sum is for the compiler.
__attribute__((noinline)) int descend(int depth, int seed)
{
    volatile char frame[100];
    for (size_t i = 0; i < sizeof frame; ++i)
        frame[i] = static_cast<char>(seed + static_cast<int>(i));
    if (depth == 0)
        throw std::runtime_error("from a kernel stack");
    return descend(depth - 1, seed + 1) + frame[static_cast<size_t>(seed) % sizeof frame];
}

// The same frames without an end: whatever marks the first ones left are in the way.
__attribute__((noinline)) int fill(int seed)
{
    std::array<char, 3000> all;
    std::memset(all.data(), seed, all.size());
    const volatile char* const seen = all.data();
    int sum = 0;
    for (size_t i = 0; i < all.size(); ++i)
        sum += seen[i];
    return sum;
}

std::atomic<long> caught{0};

KernelOptions with_throwing_log()
{
    KernelOptions options;
    options.log = [](std::string_view text) {
        const int seed = static_cast<int>(text.size() % 50);
        for (int depth = 1; depth < 12; ++depth) {
            try {
                descend(depth, seed);
            } catch (const std::runtime_error&) {
                ++caught;
            }
            const auto copy = std::make_unique<std::string>(text);
            EXPECT_EQ(fill(seed), 3000 * seed);
            EXPECT_EQ(*copy, text);
        }
    };
    return options;
}

// Every callback of the log runs on the stack of whoever prints.
TEST(Stacks, ExceptionsInCallbacks)
{
    const Watchdog watchdog(100s, "exceptions on kernel stacks");
    caught = 0;
    Kernel kernel = boot(with_throwing_log());
    Calls calls(kernel);
    calls.mount_at("devtmpfs", "/dev");
    const long booted = caught;
    EXPECT_GT(booted, 100);
    Crew crew;
    crew.add(6, [&](int i) {
        std::array<int, 2> fds{};
        ASSERT_EQ(calls.pipe(fds.data()), 0);
        const long log = calls.open("/dev/kmsg", LKL_O_WRONLY);
        ASSERT_GE(log, 0);
        for (int n = 0; n < 100; ++n) {
            const std::string text = "thread " + std::to_string(i) + std::string(n % 40, '.');
            ASSERT_EQ(calls.write(log, text.data(), text.size()), static_cast<long>(text.size()));
            // Others run on other stacks in between, and on this thread.
            if (n % 3 == 0) {
                ASSERT_EQ(calls.sleep(10us), 0);
            }
            char byte = 'x';
            ASSERT_EQ(calls.write(fds[1], &byte, 1), 1);
            ASSERT_EQ(calls.read(fds[0], &byte, 1), 1);
            // On the thread's own stack it is no different.
            try {
                descend(5, n % 50);
            } catch (const std::runtime_error&) {
            }
            EXPECT_EQ(fill(n % 50), 3000 * (n % 50));
        }
    });
    crew.join();
    // The kernel limits how fast one may write to its log.
    EXPECT_GT(caught, booted);
}

// Two kernels, one's log callback calling the other: stacks of both in one thread.
TEST(Stacks, OfOneKernelInsideAnothers)
{
    const Watchdog watchdog(100s, "nested kernels");
    Kernel inner = boot(with_throwing_log());
    KernelOptions options;
    std::atomic<long> calls_made{0};
    options.log = [&](std::string_view) {
        EXPECT_EQ(inner.syscall(__lkl__NR_getpid), 1);
        try {
            descend(8, 3);
        } catch (const std::runtime_error&) {
            ++calls_made;
        }
        EXPECT_EQ(fill(7), 3000 * 7);
    };
    Kernel outer = boot(options);
    EXPECT_GT(calls_made, 10);
    EXPECT_EQ(outer.syscall(__lkl__NR_getpid), 1);
    EXPECT_TRUE(outer.halt());
    EXPECT_TRUE(inner.halt());
}

// AddressSanitizer says on its error output what it does not understand, and has
// copies of frames that are off by default.
TEST(Stacks, AreUnderstoodByAddressSanitizer)
{
    const char* const sanitize = std::getenv("LKL_SANITIZE");
    if (!sanitize || !std::strstr(sanitize, "address"))
        GTEST_SKIP() << "only with AddressSanitizer";
    for (const char* const copies : {"0", "1"}) {
        const std::string command =
            std::string("ASAN_OPTIONS=detect_stack_use_after_return=") + copies + " /proc/" +
            std::to_string(::getpid()) +
            "/exe --gtest_filter=Stacks.ExceptionsInCallbacks:Stacks.OfOneKernel* 2>&1";
        FILE* const pipe = ::popen(command.c_str(), "r");
        ASSERT_NE(pipe, nullptr);
        std::string output;
        std::array<char, 4096> buffer;
        while (const size_t n = ::fread(buffer.data(), 1, buffer.size(), pipe))
            output.append(buffer.data(), n);
        EXPECT_EQ(::pclose(pipe), 0) << output;
        EXPECT_EQ(output.find("Sanitizer"), std::string::npos) << output;
        EXPECT_EQ(output.find("ASan"), std::string::npos) << output;
    }
}

}  // namespace
}  // namespace lkl::test
