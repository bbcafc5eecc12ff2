// SPDX-License-Identifier: GPL-2.0-only
// A kernel that panics becomes an error of every call, with its last words; the
// process, and other kernels in it, go on.
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <lkl/disk.hpp>
#include <lkl/linux/mount.h>

#include <support/image.hpp>
#include <support/kernel.hpp>
#include <support/process.hpp>
#include <unit/temp_file.hpp>

namespace lkl::test {
namespace {

constexpr uint64_t disk_size = 16 << 20;
constexpr const char name[] = "a-name-that-is-nowhere-else-on-the-disk";

// A file system whose directory is damaged once it is mounted: the kernel panics
// when it looks into it, as it was told to.
class Trap {
public:
    Trap() : file_(disk_size), memory_(disk_size)
    {
        const std::string command = "PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F " + file_.path();
        made_ = std::system(command.c_str()) == 0;
        const auto bytes = file_.read(0, disk_size);
        std::memcpy(memory_.data(), bytes.data(), bytes.size());
    }
    bool made() const { return made_; }

    // Mounts it at /mnt, and damages /mnt/directory behind the kernel's back.
    void set(Kernel& kernel)
    {
        Calls calls(kernel);
        auto backend = make_memory_disk(std::span(memory_));
        ASSERT_TRUE(backend) << backend.error().what;
        auto disk = kernel.add_disk(std::move(*backend));
        ASSERT_TRUE(disk) << disk.error().what;
        calls.mount_at("proc", "/proc");
        calls.mkdir("/mnt");
        calls.mkdir("/dev");
        const long node =
            kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, "/disk", 060600, disk->device);
        ASSERT_EQ(node, 0);
        ASSERT_EQ(calls.mount("/disk", "/mnt", "ext4", 0, "errors=panic"), 0);
        ASSERT_EQ(calls.mkdir("/mnt/directory"), 0);
        const std::string path = std::string("/mnt/directory/") + name;
        ASSERT_EQ(calls.write_file(path.c_str(), "text", LKL_O_WRONLY | LKL_O_CREAT), 0);
        // Out of the kernel's memory, onto the disk: by a mount that is new.
        ASSERT_EQ(calls.umount("/mnt"), 0);
        ASSERT_EQ(calls.mount("/disk", "/mnt", "ext4", 0, "errors=panic"), 0);
        damage();
    }
    long spring(Kernel& kernel)
    {
        const std::string path = std::string("/mnt/directory/") + name;
        return Calls(kernel).open(path.c_str(), LKL_O_RDONLY);
    }

private:
    // Every block with the name is garbage.
    void damage()
    {
        int found = 0;
        for (size_t at = 0; at + sizeof name <= memory_.size(); ++at) {
            if (std::memcmp(&memory_[at], name, sizeof name - 1) == 0) {
                std::memset(&memory_[at & ~size_t{1023}], 0x5a, 1024);
                ++found;
            }
        }
        ASSERT_GT(found, 0);
    }

    TempFile file_;
    std::vector<std::byte> memory_;
    bool made_ = false;
};

class Panic : public testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_TRUE(trap.made()) << "mkfs.ext4 failed";
        kernel.emplace(boot());
        trap.set(*kernel);
    }

    const Watchdog watchdog{std::chrono::seconds(60), "panic"};
    Trap trap;  // outlives the kernel, whose disk it is
    std::optional<Kernel> kernel;
};

void expect_dead(Kernel& kernel)
{
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_EIO);
    std::thread([&] { EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_EIO); }).join();
    const std::string text = kernel.panic_message();
    EXPECT_NE(text.find("Kernel panic"), std::string::npos) << text;
    EXPECT_NE(text.find("EXT4-fs error"), std::string::npos) << text;
}

TEST_F(Panic, IsAnErrorWithTheLastWords)
{
    EXPECT_EQ(kernel->panic_message(), "");
    EXPECT_EQ(trap.spring(*kernel), -LKL_EIO);
    expect_dead(*kernel);
    const auto disk = make_memory_disk(1 << 20);
    ASSERT_TRUE(disk);
    const auto removed = kernel->remove_disk(DiskId{0, 0});
    (void)removed;  // an error or not, but no hang
    const auto halted = kernel->halt();
    ASSERT_FALSE(halted);
    EXPECT_EQ(halted.error().code, EIO);
    EXPECT_NE(halted.error().what.find("panic"), std::string::npos);
    expect_dead(*kernel);
}

TEST_F(Panic, NeedsNoHaltBeforeTheEnd)
{
    const size_t descriptors = count_descriptors();
    EXPECT_EQ(trap.spring(*kernel), -LKL_EIO);
    const uint64_t threads = process_status("Threads");
    kernel.reset();
    EXPECT_LT(count_descriptors(), descriptors);
    EXPECT_LT(settled_threads(threads - 1), threads);
}

TEST_F(Panic, WakesWhoWaits)
{
    int fds[2];
    ASSERT_EQ(Calls(*kernel).pipe(fds), 0);
    std::atomic<int> waiting{0};
    Crew crew;
    crew.add(6, [&](int i) {
        Calls calls(*kernel);
        calls.gettid();
        ++waiting;
        char byte;
        EXPECT_EQ(i % 2 ? calls.read(fds[0], &byte, 1) : calls.sleep(1000s), -LKL_EIO);
        EXPECT_EQ(calls.gettid(), -LKL_EIO);
    });
    while (waiting < 6)
        std::this_thread::yield();
    std::this_thread::sleep_for(20ms);
    // By a thread that has nothing else to do with it.
    std::thread([&] { EXPECT_EQ(trap.spring(*kernel), -LKL_EIO); }).join();
    crew.join();
    expect_dead(*kernel);
}

TEST_F(Panic, EndsCallsOfBusyThreads)
{
    std::atomic<int> started{0};
    Crew crew;
    crew.add(4, [&](int) {
        for (bool first = true;; first = false) {
            const long result = kernel->syscall(__lkl__NR_getppid);
            if (first)
                ++started;
            if (result == -LKL_EIO)
                return;
            ASSERT_EQ(result, 0);
        }
    });
    while (started < 4)
        std::this_thread::yield();
    EXPECT_EQ(trap.spring(*kernel), -LKL_EIO);
    crew.join();
    expect_dead(*kernel);
    kernel.reset();
}

TEST_F(Panic, LeavesOtherKernelsAlone)
{
    Kernel other = boot();
    ASSERT_EQ(Calls(other).mkdir("/here"), 0);
    EXPECT_EQ(trap.spring(*kernel), -LKL_EIO);
    EXPECT_EQ(other.syscall(__lkl__NR_getpid), 1);
    EXPECT_EQ(Calls(other).mkdir("/here"), -LKL_EEXIST);
    EXPECT_EQ(Calls(other).sleep(1ms), 0);
    EXPECT_EQ(other.panic_message(), "");
    Kernel third = boot();
    EXPECT_EQ(third.syscall(__lkl__NR_getpid), 1);
    kernel.reset();
    EXPECT_EQ(other.syscall(__lkl__NR_getpid), 1);
    EXPECT_TRUE(other.halt());
}

TEST(PanicAtBoot, IsAnErrorOfTheStart)
{
    const Watchdog watchdog(30s, "panic at boot");
    const uint64_t threads = process_status("Threads");
    boot();
    const size_t descriptors = count_descriptors();
    for (int i = 0; i < 5; ++i) {
        KernelOptions options;
        options.command_line = "rdinit=/nothing init=/nothing";
        const auto kernel = Kernel::start(options);
        ASSERT_FALSE(kernel);
        EXPECT_EQ(kernel.error().code, EIO);
        // Without process 1 there has to be a root file system that has it.
        EXPECT_NE(kernel.error().what.find("Unable to mount root fs"), std::string::npos)
            << kernel.error().what;
    }
    EXPECT_EQ(count_descriptors(), descriptors);
    EXPECT_EQ(settled_threads(threads), threads);
    EXPECT_EQ(boot().syscall(__lkl__NR_getpid), 1);
}

// Memory that runs out is an error of the call, or ends this kernel alone.
TEST(PanicByMemory, IsNoMoreThanAnErrorOfTheCall)
{
    const Watchdog watchdog(60s, "out of memory");
    KernelOptions options;
    options.memory = 32 << 20;
    Kernel kernel = boot(options);
    Calls calls(kernel);
    Kernel other = boot();
    calls.mkdir("/tmp");
    ASSERT_EQ(calls.mount("tmpfs", "/tmp", "tmpfs", 0, "size=1g"), 0);
    const long fd = calls.open("/tmp/file", LKL_O_WRONLY | LKL_O_CREAT);
    ASSERT_GE(fd, 0);
    const std::vector<char> data(1 << 20, 'x');
    long n = 0;
    for (uint64_t i = 0; i < 64 + (checkers_memory() >> 20); ++i) {
        n = calls.write(fd, data.data(), data.size());
        if (n != static_cast<long>(data.size()))
            break;
    }
    EXPECT_TRUE(n == -LKL_ENOMEM || n == -LKL_ENOSPC || n == -LKL_EIO ||
                (n >= 0 && n < static_cast<long>(data.size())))
        << n;
    EXPECT_EQ(other.syscall(__lkl__NR_getpid), 1);
    const bool dead = kernel.syscall(__lkl__NR_getpid) == -LKL_EIO;
    EXPECT_EQ(dead, !kernel.panic_message().empty());
    if (!dead) {
        EXPECT_EQ(calls.unlink("/tmp/file"), 0);
        EXPECT_EQ(calls.close(fd), 0);
        EXPECT_EQ(calls.mkdir("/after"), 0);
    }
}

}  // namespace
}  // namespace lkl::test
