// SPDX-License-Identifier: GPL-2.0-only
// mmap() of files of a disk file system, which is to give memory that can be used as it
// says, or an error (docs/memory-maps.md).
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include <sys/ipc.h>
#include <sys/mman.h>

#include <gtest/gtest.h>

#include <lkl/disk.hpp>
#include <lkl/linux/falloc.h>
#include <lkl/mount.hpp>

#include <support/kernel.hpp>
#include <unit/temp_file.hpp>

namespace lkl::test {
namespace {

class MemoryMap : public testing::TestWithParam<const char*> {
protected:
    static constexpr size_t size = 3 * 4096;

    void SetUp() override
    {
        const std::string type = GetParam();
        const std::string make = "mkfs." + type + " " + file_.path() + " >/dev/null 2>&1";
        ASSERT_EQ(std::system(make.c_str()), 0) << make;
        auto backend = open_file_disk(file_.path());
        ASSERT_TRUE(backend) << backend.error().what;
        auto disk = kernel_.add_disk(*std::move(backend));
        ASSERT_TRUE(disk) << disk.error().what;
        MountOptions options;
        options.type = type;
        auto mount = Mount::disk(kernel_, *disk, options);
        ASSERT_TRUE(mount) << mount.error().what;
        mount_.emplace(*std::move(mount));
        fd_ = calls_.open((mount_->path() + "/file").c_str(), LKL_O_RDWR | LKL_O_CREAT);
        ASSERT_GE(fd_, 0);
        const std::string data(size, 'd');
        ASSERT_EQ(calls_.write(fd_, data.data(), size), static_cast<long>(size));
    }

    long map(int protection, int flags)
    {
        return kernel_.syscall(__lkl__NR_mmap, nullptr, size, protection, flags, fd_, 0);
    }
    long anonymous(size_t length)
    {
        return kernel_.syscall(__lkl__NR_mmap, nullptr, length, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    long protect(long area, int protection)
    {
        return kernel_.syscall(__lkl__NR_mprotect, area, size, protection);
    }
    void unmap(long area) { EXPECT_EQ(kernel_.syscall(__lkl__NR_munmap, area, size), 0); }

    static char* bytes(long area) { return reinterpret_cast<char*>(area); }

    const TempFile file_{uint64_t{512} << 20};
    Kernel kernel_ = boot();
    Calls calls_{kernel_};
    std::optional<Mount> mount_;
    long fd_ = -1;
};

TEST_P(MemoryMap, SharedAndWritableIsRefused)
{
    EXPECT_EQ(map(PROT_READ | PROT_WRITE, MAP_SHARED), -LKL_ENODEV);
    EXPECT_EQ(map(PROT_WRITE, MAP_SHARED_VALIDATE), -LKL_ENODEV);
    // What is refused is not there either: its place is free for the next one.
    const long area = map(PROT_READ, MAP_SHARED);
    ASSERT_GT(area, 0);
    EXPECT_EQ(protect(area, PROT_READ | PROT_WRITE), -LKL_EACCES);
    EXPECT_EQ(bytes(area)[size - 1], 'd');
    // It shows what is written by a call.
    EXPECT_EQ(kernel_.syscall(__lkl__NR_pwrite64, fd_, "new", 3, 4096), 3);
    EXPECT_EQ(std::memcmp(bytes(area) + 4096, "newd", 4), 0);
    unmap(area);
}

TEST_P(MemoryMap, PrivateAndWritableIsACopy)
{
    for (const bool later : {false, true}) {
        const long area = map(later ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE);
        ASSERT_GT(area, 0);
        if (later) {
            ASSERT_EQ(protect(area, PROT_READ | PROT_WRITE), 0);
        }
        std::memset(bytes(area), 'p', size);
        char byte = 0;
        EXPECT_EQ(kernel_.syscall(__lkl__NR_pread64, fd_, &byte, 1, 5000), 1);
        EXPECT_EQ(byte, 'd');
        unmap(area);
    }
}

// What a call takes away from under a mapping is there again when the call has returned.
TEST_P(MemoryMap, WhatIsWrittenPastTheCacheIsSeen)
{
    const long area = map(PROT_READ, MAP_SHARED);
    ASSERT_GT(area, 0);
    EXPECT_EQ(bytes(area)[0], 'd');
    const long direct = calls_.open((mount_->path() + "/file").c_str(), LKL_O_RDWR | LKL_O_DIRECT);
    ASSERT_GE(direct, 0);
    const long buffer = anonymous(size);
    ASSERT_GT(buffer, 0);
    std::memset(bytes(buffer), 'o', size);
    ASSERT_EQ(kernel_.syscall(__lkl__NR_pwrite64, direct, buffer, 4096, 4096), 4096);
    EXPECT_EQ(bytes(area)[0], 'd');
    EXPECT_EQ(bytes(area)[4096], 'o');
    EXPECT_EQ(bytes(area)[8191], 'o');
    EXPECT_EQ(bytes(area)[8192], 'd');
    unmap(buffer);
    unmap(area);
}

TEST_P(MemoryMap, AHoleIsSeen)
{
    const long area = map(PROT_READ, MAP_SHARED);
    ASSERT_GT(area, 0);
    const long punched = kernel_.syscall(
        __lkl__NR_fallocate, fd_, LKL_FALLOC_FL_PUNCH_HOLE | LKL_FALLOC_FL_KEEP_SIZE, 4096, 4096);
    if (punched == -LKL_EOPNOTSUPP)
        GTEST_SKIP() << GetParam() << " has no holes";
    ASSERT_EQ(punched, 0);
    EXPECT_EQ(bytes(area)[4095], 'd');
    EXPECT_EQ(bytes(area)[4096], 0);
    EXPECT_EQ(bytes(area)[8191], 0);
    EXPECT_EQ(bytes(area)[8192], 'd');
    unmap(area);
}

INSTANTIATE_TEST_SUITE_P(Types, MemoryMap, testing::Values("ext4", "xfs", "btrfs", "vfat"),
                         [](const auto& info) { return std::string(info.param); });

// Memory without a disk.
class Memory : public testing::Test {
protected:
    static constexpr size_t size = 16 * 4096;

    long call(long number, auto... arguments) { return kernel_.syscall(number, arguments...); }
    long map(long fd = -1)
    {
        return call(__lkl__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE,
                    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
    }
    static char* bytes(long area) { return reinterpret_cast<char*>(area); }
    // All of it can be written.
    static void fill(long area, size_t length = size) { std::memset(bytes(area), 'x', length); }
    static bool is_zero(long area, size_t length = size)
    {
        return std::all_of(bytes(area), bytes(area) + length, [](char c) { return c == 0; });
    }

    Kernel kernel_ = boot();
};

TEST_F(Memory, StaysLocked)
{
    const long area = map();
    ASSERT_GT(area, 0);
    fill(area);
    EXPECT_EQ(call(__lkl__NR_munlock, area, size), 0);
    EXPECT_EQ(call(__lkl__NR_munlockall), 0);
    EXPECT_EQ(call(__lkl__NR_madvise, area, size, MADV_DONTNEED), -LKL_EINVAL);
    EXPECT_EQ(bytes(area)[size - 1], 'x');
    const long grown = call(__lkl__NR_mremap, area, size, 2 * size, MREMAP_MAYMOVE);
    ASSERT_GT(grown, 0);
    EXPECT_EQ(bytes(grown)[size - 1], 'x');
    EXPECT_TRUE(is_zero(grown + size));
    fill(grown, 2 * size);
    EXPECT_EQ(call(__lkl__NR_munmap, grown, 2 * size), 0);
}

TEST_F(Memory, ComesBackAsZeros)
{
    constexpr int dontneed_locked = 24;
    const long area = map();
    ASSERT_GT(area, 0);
    fill(area);
    EXPECT_EQ(call(__lkl__NR_madvise, area, size, dontneed_locked), 0);
    EXPECT_TRUE(is_zero(area));
    fill(area);
    constexpr int dontunmap = 4;
    const long moved =
        call(__lkl__NR_mremap, area, size, size, MREMAP_MAYMOVE | dontunmap, nullptr);
    ASSERT_GT(moved, 0);
    EXPECT_EQ(bytes(moved)[size - 1], 'x');
    EXPECT_TRUE(is_zero(area));
    fill(area);

    const long fd = call(__lkl__NR_memfd_create, "memory", 0);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(call(__lkl__NR_ftruncate, fd, size), 0);
    const long shared = map(fd);
    ASSERT_GT(shared, 0);
    fill(shared);
    ASSERT_EQ(
        call(__lkl__NR_fallocate, fd, LKL_FALLOC_FL_PUNCH_HOLE | LKL_FALLOC_FL_KEEP_SIZE, 0, size),
        0);
    EXPECT_TRUE(is_zero(shared));
    fill(shared);
    char byte = 0;
    EXPECT_EQ(call(__lkl__NR_pread64, fd, &byte, 1, size - 1), 1);
    EXPECT_EQ(byte, 'x');
}

TEST_F(Memory, IsThereWhateverIsLocked)
{
    for (const int flags : {MCL_FUTURE | MCL_ONFAULT, MCL_CURRENT | MCL_ONFAULT, MCL_CURRENT}) {
        ASSERT_EQ(call(__lkl__NR_mlockall, flags), 0);
        const long area = map();
        ASSERT_GT(area, 0);
        fill(area);
        EXPECT_EQ(call(__lkl__NR_mlock2, area, size, MLOCK_ONFAULT), 0);
        fill(area);
        const long id = call(__lkl__NR_shmget, IPC_PRIVATE, size, 0600);
        ASSERT_GE(id, 0);
        const long attached = call(__lkl__NR_shmat, id, nullptr, 0);
        ASSERT_GT(attached, 0);
        fill(attached);
        EXPECT_EQ(call(__lkl__NR_shmdt, attached), 0);
    }
    EXPECT_EQ(call(__lkl__NR_mlockall, MCL_ONFAULT), -LKL_EINVAL);
    EXPECT_EQ(call(__lkl__NR_mlockall, 0), -LKL_EINVAL);
}

TEST_F(Memory, OfAnOrdinaryUserHasNoLimitOfItsOwn)
{
    ASSERT_EQ(call(__lkl__NR_setresuid, 1000, 1000, 1000), 0);
    constexpr size_t large = 16 << 20;
    const long area = call(__lkl__NR_mmap, nullptr, large, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_GT(area, 0);
    fill(area, large);
}

}  // namespace
}  // namespace lkl::test
