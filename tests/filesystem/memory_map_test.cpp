// SPDX-License-Identifier: GPL-2.0-only
// mmap() of files of a disk file system, which is to give memory that can be used as it
// says, or an error (docs/memory-maps.md).
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include <sys/mman.h>

#include <gtest/gtest.h>

#include <lkl/disk.hpp>
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

INSTANTIATE_TEST_SUITE_P(Types, MemoryMap, testing::Values("ext4", "xfs", "btrfs", "vfat"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace lkl::test
