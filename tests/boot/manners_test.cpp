// SPDX-License-Identifier: GPL-2.0-only
// What a library may not do to its program: use time when there is nothing to do, leave
// descriptors to programs that are started, keep it from giving up its rights, or print. And
// a disk as large as disks are.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <lkl/disk.hpp>
#include <lkl/net.hpp>

#include <support/image.hpp>
#include <support/kernel.hpp>
#include <unit/temp_file.hpp>

namespace lkl::test {
namespace {

std::set<int> descriptors()
{
    std::set<int> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        all.insert(std::stoi(entry.path().filename()));
    // Not that of the listing, which is closed again.
    std::erase_if(all, [](int fd) { return ::fcntl(fd, F_GETFD) < 0; });
    return all;
}

size_t threads()
{
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

std::multiset<std::string> names_of_threads()
{
    std::multiset<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(entry.path() / "comm");
        std::string name;
        std::getline(file, name);
        names.insert(name);
    }
    return names;
}

struct Usage {
    double seconds;
    long sleeps;
};

Usage usage()
{
    rusage now{};
    ::getrusage(RUSAGE_SELF, &now);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return {seconds(now.ru_utime) + seconds(now.ru_stime), now.ru_nvcsw};
}

DiskId add_disk(Kernel& kernel, const TempFile& file)
{
    auto backend = open_file_disk(file.path());
    EXPECT_TRUE(backend) << backend.error().what;
    auto disk = kernel.add_disk(std::move(*backend));
    EXPECT_TRUE(disk) << disk.error().what;
    return *disk;
}

TEST(MannersTest, AnIdleKernelDoesNothing)
{
    if (checkers_memory() != 0)
        GTEST_SKIP() << "checkers look around by themselves";
    const TempFile file(64 << 20);
    const size_t before = threads();
    Kernel kernel = boot();
    add_disk(kernel, file);
    EXPECT_EQ(Calls(kernel).mkdir("/d"), 0);
    // What starting left behind ends within seconds. Linux has two timers that never end, of
    // 30 and of 60 s, which may meet one turn or two.
    constexpr int turns = 10;
    int quiet = 0;
    for (int turn = 0; turn < turns && quiet < 3; ++turn) {
        const Usage start = usage();
        std::this_thread::sleep_for(2s);
        const Usage end = usage();
        // One sleep is the test's own.
        quiet += end.sleeps - start.sleeps <= 1 && end.seconds - start.seconds < 0.01;
    }
    EXPECT_EQ(quiet, 3) << "turns without a wake-up, of " << turns;
    EXPECT_LE(threads() - before, 2u);  // the kernel's own, and the one for the time
}

TEST(MannersTest, NothingIsLeftToOthersOrSaid)
{
    const TempFile file(64 << 20);
    const std::set<int> before = descriptors();
    std::set<int> opened;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const std::set<int> captured = descriptors();
    {
        Kernel kernel = boot();
        const DiskId disk = add_disk(kernel, file);
        EXPECT_GT(disk.device, 0u);
        for (const int fd : descriptors()) {
            if (captured.contains(fd))
                continue;
            opened.insert(fd);
            EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC) << fd;
        }
        EXPECT_TRUE(kernel.halt());
    }
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_GT(opened.size(), 1u);
    EXPECT_EQ(descriptors(), before);
}

// libc changes the user of a process in each of its threads, by a signal for which the caller
// waits.
TEST(MannersTest, SettingTheUserReachesEachThread)
{
    const Watchdog watchdog(60s, "setresuid()");
    const TempFile file(4 << 20);
    const auto before = names_of_threads();
    Kernel kernel = boot();
    Calls calls(kernel);
    FileDiskOptions options;
    options.engine = DiskEngine::threads;
    auto backend = open_file_disk(file.path(), options);
    ASSERT_TRUE(backend) << backend.error().what;
    const auto disk = kernel.add_disk(std::move(*backend));
    ASSERT_TRUE(disk) << disk.error().what;
    std::optional<NetDevice> device;
    if (auto slirp = open_slirp()) {
        auto added = NetDevice::add(kernel, *std::move(slirp));
        ASSERT_TRUE(added) << added.error().what;
        device.emplace(*std::move(added));
    }
    ASSERT_EQ(kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, "/disk", 060600, disk->device), 0);
    const long fd = calls.open("/disk", LKL_O_RDWR);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(calls.write(fd, "data", 4), 4);
    ASSERT_EQ(calls.fsync(fd), 0);  // waits for the host: a thread of the disk's
    std::atomic<bool> end{false};
    Crew crew;
    crew.add([&] {
        while (!end)
            calls.sleep(10ms);
    });
    auto names = names_of_threads();
    while (device && names.count("lkl-net") == 0) {  // it names itself, once it runs
        std::this_thread::sleep_for(1ms);
        names = names_of_threads();
    }
    EXPECT_GE(names.size(), before.size() + 3) << "the kernel's, the disk's and the caller's";
    EXPECT_EQ(names.count("lkl-net"), device ? 1u : 0u);
    EXPECT_EQ(::setresgid(::getgid(), ::getgid(), ::getgid()), 0);
    EXPECT_EQ(::setresuid(::getuid(), ::getuid(), ::getuid()), 0);
    end = true;
    crew.join();
    EXPECT_EQ(calls.close(fd), 0);
    device.reset();
    EXPECT_TRUE(kernel.halt());
}

// Past what 32 bits hold in bytes, in pages and in sectors.
TEST(MannersTest, ADiskOfThreeTerabytes)
{
    constexpr uint64_t size = 3ull << 40;
    const TempFile file(size);
    if (!file.sized())
        GTEST_SKIP() << "the host's file system has no files of 3 TiB";
    Kernel kernel = boot();
    Calls calls(kernel);
    const DiskId disk = add_disk(kernel, file);
    ASSERT_EQ(kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, "/disk", 060600, disk.device), 0);
    const long fd = calls.open("/disk", LKL_O_RDWR);
    ASSERT_GE(fd, 0);
    for (const uint64_t offset :
         {(uint64_t{1} << 32) - 2048, (uint64_t{2} << 40) - 2048, size - 4096}) {
        std::vector<unsigned char> data(4096);
        for (size_t i = 0; i < data.size(); i++)
            data[i] = static_cast<unsigned char>(i * 7 + offset / 1000);
        ASSERT_EQ(calls.pwrite(fd, data.data(), data.size(), offset), 4096);
        ASSERT_EQ(calls.fsync(fd), 0);
        EXPECT_EQ(file.read(offset, 4096), data) << offset;
        data[0] ^= 1;
        file.write(offset, data);
        ASSERT_EQ(kernel.syscall(__lkl__NR_fadvise64, fd, 0, 0, 4), 0);  // POSIX_FADV_DONTNEED
        std::vector<unsigned char> back(4096);
        ASSERT_EQ(calls.pread(fd, back.data(), back.size(), offset), 4096);
        EXPECT_EQ(back, data) << offset;
    }
    unsigned char byte = 0;
    EXPECT_EQ(calls.pwrite(fd, &byte, 1, size), -LKL_ENOSPC);
    EXPECT_EQ(calls.close(fd), 0);
    EXPECT_TRUE(kernel.halt());
}

}  // namespace
}  // namespace lkl::test
