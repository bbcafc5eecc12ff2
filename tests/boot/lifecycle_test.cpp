// SPDX-License-Identifier: GPL-2.0-only
// Kernels start and end without leaving anything behind, several at a time.
// ctest: SERIAL
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <malloc.h>
#include <sys/resource.h>

#include <support/image.hpp>
#include <support/kernel.hpp>
#include <support/process.hpp>

namespace lkl::test {
namespace {

// One life of a kernel, with calls from two threads.
void live()
{
    Kernel kernel = boot();
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    Crew crew;
    crew.add([&] {
        EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
        Calls(kernel).sleep(1us);
    });
    crew.join();
    const auto halted = kernel.halt();
    EXPECT_TRUE(halted) << (halted ? "" : halted.error().what);
}

TEST(Lifecycle, TwoHundredKernelsLeaveNothingBehind)
{
    const Watchdog watchdog(240s, "200 kernels");
    const uint64_t threads = process_status("Threads");
    // What the C library and the host keep after the first ones is not ours.
    for (int i = 0; i < 20; ++i)
        live();
    const size_t descriptors = count_descriptors();
    const size_t mappings = count_mappings();
    const uint64_t virtual_size = process_status("VmSize");
    const uint64_t resident = process_status("VmRSS");

    for (int i = 0; i < 180; ++i)
        live();
    EXPECT_EQ(count_descriptors(), descriptors);
    EXPECT_EQ(settled_threads(threads), threads);
    if (sanitized())
        return;
    EXPECT_LE(count_mappings(), mappings + 4);
    // In KiB. A leak of 8 KiB a kernel would show.
    EXPECT_LE(process_status("VmSize"), virtual_size + 1024);
    EXPECT_LE(process_status("VmRSS"), resident + 1024);
}

TEST(Lifecycle, KernelsAreFreedWithoutAHalt)
{
    const Watchdog watchdog(60s, "kernels without a halt");
    // With as many arenas as threads meet each other, 64 MiB would come at any time.
    if (!sanitized()) {  // whose allocator is another
        ASSERT_EQ(::mallopt(M_ARENA_MAX, 1), 1);
    }
    const uint64_t threads = process_status("Threads");
    for (int i = 0; i < 3; ++i)
        boot();
    const size_t descriptors = count_descriptors();
    const size_t mappings = count_mappings();
    const uint64_t virtual_size = process_status("VmSize");
    for (int i = 0; i < 20; ++i) {
        Kernel kernel = boot();
        EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    }
    EXPECT_EQ(count_descriptors(), descriptors);
    EXPECT_EQ(settled_threads(threads), threads);
    // The C library keeps up to 40 MiB of stacks of threads that have ended: five, each of two
    // mappings. Whatever each of twenty kernels left would be more of them.
    if (!sanitized()) {
        EXPECT_LE(count_mappings(), mappings + 4 + 10);
        EXPECT_LE(process_status("VmSize"), virtual_size + 41 * 1024);  // KiB
    }
}

TEST(Lifecycle, EightKernelsAtOnceAreIndependent)
{
    constexpr int kernels = 8;
    constexpr int threads_each = 4;
    const Watchdog watchdog(120s, "8 kernels at once");
    std::array<std::optional<Kernel>, kernels> all;
    {
        // They boot side by side, too.
        Crew crew;
        crew.add(kernels, [&](int i) { all.at(static_cast<size_t>(i)).emplace(boot()); });
    }
    std::array<std::atomic<long>, kernels> done{};
    {
        Crew crew;
        for (size_t i = 0; i < kernels; ++i) {
            crew.add(threads_each, [&, i](int t) {
                Kernel& kernel = *all[i];
                Calls calls(kernel);
                const std::string path = "/of-" + std::to_string(i) + "-" + std::to_string(t);
                int fds[2];
                ASSERT_EQ(calls.pipe(fds), 0);
                for (int n = 0; n < 500; ++n) {
                    const long fd = calls.open(path.c_str(), LKL_O_RDWR | LKL_O_CREAT);
                    ASSERT_GE(fd, 0);
                    ASSERT_EQ(calls.write(fd, path.data(), path.size()),
                              static_cast<long>(path.size()));
                    ASSERT_EQ(calls.close(fd), 0);
                    char byte = 'x';
                    ASSERT_EQ(calls.write(fds[1], &byte, 1), 1);
                    ASSERT_EQ(calls.read(fds[0], &byte, 1), 1);
                    ++done[i];
                }
                EXPECT_EQ(calls.read_file(path.c_str()), path);
            });
        }
    }
    for (size_t i = 0; i < kernels; ++i) {
        EXPECT_EQ(done[i], threads_each * 500);
        // The files of the others are not here.
        Calls calls(*all[i]);
        for (size_t other = 0; other < kernels; ++other) {
            const std::string path = "/of-" + std::to_string(other) + "-0";
            EXPECT_EQ(calls.open(path.c_str(), LKL_O_RDONLY) >= 0, other == i) << path;
        }
    }
    // One ends, the others go on.
    EXPECT_TRUE(all[3]->halt());
    for (size_t i = 0; i < kernels; ++i)
        EXPECT_EQ(all[i]->syscall(__lkl__NR_getpid), i == 3 ? -LKL_ESHUTDOWN : 1);
}

TEST(Lifecycle, OneThreadCallsSeveralKernelsInTurn)
{
    Kernel first = boot();
    Kernel second = boot();
    ASSERT_EQ(Calls(first).mkdir("/first"), 0);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(first.syscall(__lkl__NR_getpid), 1);
        ASSERT_EQ(second.syscall(__lkl__NR_getpid), 1);
    }
    EXPECT_EQ(Calls(second).mkdir("/first"), 0);
    EXPECT_EQ(Calls(first).mkdir("/first"), -LKL_EEXIST);
}

TEST(Lifecycle, CallsAfterHaltAreRefused)
{
    Kernel kernel = boot();
    EXPECT_EQ(kernel.panic_message(), "");
    EXPECT_TRUE(kernel.halt());
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ESHUTDOWN);
    std::thread([&] { EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ESHUTDOWN); }).join();
    EXPECT_TRUE(kernel.halt());
    const auto removed = kernel.remove_disk(DiskId{});
    EXPECT_FALSE(removed);
    EXPECT_EQ(kernel.panic_message(), "");
}

TEST(Lifecycle, AKernelThatTheProgramPowersOffIsEnded)
{
    const Watchdog watchdog(30s, "power off by reboot(2)");
    Kernel kernel = boot();
    EXPECT_EQ(kernel.syscall(__lkl__NR_reboot, 0xfee1dead, 672274793, 0x4321fedc, nullptr),
              -LKL_ESHUTDOWN);
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ESHUTDOWN);
    std::thread([&] { EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ESHUTDOWN); }).join();
    EXPECT_TRUE(kernel.halt());
}

TEST(Lifecycle, MovedKernelsGoOn)
{
    Kernel kernel = boot();
    Kernel other = std::move(kernel);
    EXPECT_EQ(other.syscall(__lkl__NR_getpid), 1);
    Kernel third = boot();
    third = std::move(other);
    EXPECT_EQ(third.syscall(__lkl__NR_getpid), 1);
}

TEST(Lifecycle, TheCommandLineReachesTheKernel)
{
    KernelOptions options;
    options.command_line = "lkl.test=of-this-kernel";
    options.memory = 128ull << 20;
    std::string log;
    std::mutex mutex;
    options.log = [&](std::string_view text) {
        const std::lock_guard lock(mutex);
        log.append(text);
    };
    Kernel kernel = boot(options);
    Calls calls(kernel);
    calls.mount_at("proc", "/proc");
    EXPECT_NE(calls.read_file("/proc/cmdline").find("lkl.test=of-this-kernel"), std::string::npos);
    const std::string memory = calls.read_file("/proc/meminfo");
    const size_t total = memory.find("MemTotal:");
    ASSERT_NE(total, std::string::npos);
    EXPECT_GT(std::stoul(memory.substr(total + 9)), 100u << 10);
    EXPECT_LE(std::stoul(memory.substr(total + 9)), (128u << 10) + (checkers_memory() >> 10));
    const std::lock_guard lock(mutex);
    EXPECT_NE(log.find("Linux version"), std::string::npos);
    EXPECT_TRUE(log.starts_with("[    0.")) << log.substr(0, 80);
}

// Pages are charged to control groups for those who ask.
TEST(Lifecycle, TheCommandLineTurnsTheMemoryControllerOn)
{
    for (const bool wanted : {false, true}) {
        KernelOptions options;
        options.command_line = wanted ? "cgroup_enable=memory" : "";
        Kernel kernel = boot(options);
        Calls calls(kernel);
        calls.mount_at("proc", "/proc");
        const std::string groups = calls.read_file("/proc/cgroups");
        const size_t line = groups.find("\nmemory\t");
        ASSERT_NE(line, std::string::npos) << groups;
        const std::string memory = groups.substr(line + 1, groups.find('\n', line + 1) - line - 1);
        EXPECT_EQ(memory.back(), wanted ? '1' : '0') << memory;
    }
}

TEST(Lifecycle, WhatCannotStartSaysWhy)
{
    KernelOptions options;
    options.image = "/nonexistent/vmlinux";
    auto kernel = Kernel::start(options);
    ASSERT_FALSE(kernel);
    EXPECT_EQ(kernel.error().code, ENOENT);
    EXPECT_NE(kernel.error().what.find("/nonexistent/vmlinux"), std::string::npos);

    options.image = "/proc/self/exe";  // an ELF file, but no kernel
    kernel = Kernel::start(options);
    ASSERT_FALSE(kernel);
    EXPECT_EQ(kernel.error().code, ENOEXEC);

    options = {};
    options.memory = 1 << 20;
    kernel = Kernel::start(options);
    ASSERT_FALSE(kernel);
    EXPECT_EQ(kernel.error().code, EINVAL);
}

// Sets a limit of the process for a while.
class Limit {
public:
    Limit(__rlimit_resource resource, rlim_t value) : resource_(resource)
    {
        ::getrlimit(resource, &old_);
        rlimit now = old_;
        now.rlim_cur = value;
        EXPECT_EQ(::setrlimit(resource, &now), 0);
    }
    ~Limit() { ::setrlimit(resource_, &old_); }

private:
    __rlimit_resource resource_;
    rlimit old_;
};

TEST(Lifecycle, EachMissingDescriptorIsAnErrorOfTheStart)
{
    const Watchdog watchdog(60s, "missing descriptors");
    const uint64_t threads = process_status("Threads");
    boot();
    const size_t used = count_descriptors() - 1;
    bool started = false;
    for (size_t spare = 0; spare < 16 && !started; ++spare) {
        const Limit limit(RLIMIT_NOFILE, used + spare);
        auto kernel = Kernel::start();
        started = kernel.has_value();
        if (!started) {
            EXPECT_EQ(kernel.error().code, EMFILE) << spare << ": " << kernel.error().what;
        }
    }
    EXPECT_TRUE(started);
    EXPECT_EQ(count_descriptors() - 1, used);
    EXPECT_EQ(settled_threads(threads), threads);
}

TEST(Lifecycle, AMissingAddressSpaceIsAnErrorOfTheStart)
{
    if (sanitized())
        GTEST_SKIP() << "sanitizers need the addresses themselves";
    boot();
    const uint64_t used = process_status("VmSize") << 10;
    {
        const Limit limit(RLIMIT_AS, used + (32u << 20));
        const auto kernel = Kernel::start();
        ASSERT_FALSE(kernel);
        EXPECT_EQ(kernel.error().code, ENOMEM) << kernel.error().what;
    }
    EXPECT_EQ(boot().syscall(__lkl__NR_getpid), 1);
}

// A kernel that lives until after main(), when the threads' variables are gone.
std::optional<Kernel> global;

TEST(Lifecycle, AGlobalKernelEndsWithTheProgram)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            global.emplace(boot());
            global->syscall(__lkl__NR_getpid);
            std::exit(7);
        },
        testing::ExitedWithCode(7), "");
}

// Calls the kernel when the thread's later variables have been destroyed already.
struct LateCaller {
    Kernel* kernel = nullptr;
    long* result = nullptr;
    ~LateCaller()
    {
        if (kernel)
            *result = kernel->syscall(__lkl__NR_getpid);
    }
};
thread_local LateCaller late_caller;

TEST(Lifecycle, ADestructorOfAThreadMayCall)
{
    Kernel kernel = boot();
    for (int i = 0; i < 10; ++i) {
        long result = 0;
        std::thread([&] {
            late_caller.kernel = &kernel;
            late_caller.result = &result;
            EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
        }).join();
        EXPECT_EQ(result, 1);
    }
}

}  // namespace
}  // namespace lkl::test
