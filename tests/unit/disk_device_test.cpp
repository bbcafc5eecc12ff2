// SPDX-License-Identifier: GPL-2.0-only
// ctest: SERIAL
//
// Block devices as disks, on loop devices; skipped where those cannot be made.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include <lkl/disk.hpp>

#include "temp_file.hpp"
#include "test_disks.hpp"

namespace lkl::test {
namespace {

using Bytes = std::vector<unsigned char>;

class DiskDevice : public testing::TestWithParam<DiskEngine> {
protected:
    void SetUp() override
    {
        const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        if (control < 0)
            GTEST_SKIP() << "no loop devices here, or no right to use them";
        // Another program may take the number that was free; then the next one.
        for (int attempt = 0; attempt < 10 && loop_ < 0; ++attempt) {
            const int number = ::ioctl(control, LOOP_CTL_GET_FREE);
            if (number < 0)
                break;
            path = "/dev/loop" + std::to_string(number);
            loop_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
            if (loop_ >= 0 && ::ioctl(loop_, LOOP_SET_FD, file.fd()) != 0) {
                ::close(loop_);
                loop_ = -1;
            }
        }
        ::close(control);
        if (loop_ < 0)
            GTEST_SKIP() << "no loop device could be set up";
    }
    void TearDown() override
    {
        if (loop_ < 0)
            return;
        EXPECT_EQ(::ioctl(loop_, LOOP_CLR_FD), 0);
        ::close(loop_);
    }

    // How many flushes the host has sent to the device (Documentation/block/stat.rst).
    unsigned long flushes() const
    {
        std::ifstream file("/sys/block" + path.substr(4) + "/stat");
        const std::vector<unsigned long> numbers{std::istream_iterator<unsigned long>(file), {}};
        return numbers.size() > 15 ? numbers[15] : 0;
    }

    std::unique_ptr<BlockBackend> open(FileDiskOptions options = {})
    {
        options.engine = GetParam();
        auto opened = open_file_disk(path, options);
        if (!opened) {
            ADD_FAILURE() << opened.error().what;
            return nullptr;
        }
        return std::move(*opened);
    }

    TempFile file{8 << 20};
    std::string path;
    int loop_ = -1;
};

TEST_P(DiskDevice, has_the_size_and_blocks_of_the_device)
{
    const auto disk = open();
    ASSERT_TRUE(disk);
    const BlockInfo info = disk->info();
    EXPECT_EQ(info.capacity, 8u << 20);
    EXPECT_EQ(info.logical_block_size, 512u);
    EXPECT_TRUE(info.discard);
    EXPECT_GE(info.discard_granularity, 512u);
}

TEST_P(DiskDevice, reads_and_writes)
{
    for (const bool direct : {false, true}) {
        FileDiskOptions options;
        options.direct = direct;
        const auto disk = open(options);
        ASSERT_TRUE(disk);
        const std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(4096, 65536),
                                                                 &std::free);
        std::memset(memory.get(), direct ? 2 : 1, 65536);
        EXPECT_EQ(transfer(*disk, BlockOp::write, 4096, memory.get(), 65536), 0);
        EXPECT_EQ(command(*disk, BlockOp::flush), 0);
        EXPECT_EQ(file.read(4096, 65536), Bytes(65536, direct ? 2 : 1));
        std::memset(memory.get(), 0, 65536);
        EXPECT_EQ(transfer(*disk, BlockOp::read, 4096, memory.get(), 65536), 0);
        EXPECT_EQ(static_cast<unsigned char*>(memory.get())[65535], direct ? 2 : 1);
    }
}

TEST_P(DiskDevice, discard_reaches_the_device)
{
    const auto disk = open();
    ASSERT_TRUE(disk);
    Bytes data(1 << 20, 5);
    ASSERT_EQ(transfer(*disk, BlockOp::write, 0, data.data(), data.size()), 0);
    ASSERT_EQ(command(*disk, BlockOp::flush), 0);
    const uint64_t before = file.blocks();
    EXPECT_EQ(command(*disk, BlockOp::discard, 0, 1 << 20), 0);
    EXPECT_LE(file.blocks(), before - 2000);
    EXPECT_EQ(file.read(0, 4096), Bytes(4096, 0));
}

TEST_P(DiskDevice, write_zeroes)
{
    const auto disk = open();
    ASSERT_TRUE(disk);
    Bytes data(1 << 20, 5);
    ASSERT_EQ(transfer(*disk, BlockOp::write, 0, data.data(), data.size()), 0);
    EXPECT_EQ(command(*disk, BlockOp::write_zeroes, 512, 64 << 10), 0);
    std::fill_n(data.begin() + 512, 64 << 10, 0);
    Bytes back(1 << 20, 9);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 0, back.data(), back.size()), 0);
    EXPECT_EQ(back, data);
}

// What the host's disk cannot read must not come out as anything else.
TEST_P(DiskDevice, errors_of_the_device_are_io_errors)
{
    const auto disk = open();
    ASSERT_TRUE(disk);
    ASSERT_EQ(::ftruncate(file.fd(), 1 << 20), 0);
    Bytes data(65536);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 0, data.data(), data.size()), 0);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 4 << 20, data.data(), data.size()), -EIO);
}

TEST_P(DiskDevice, device_in_use_is_refused_for_writing)
{
    const auto disk = open();
    ASSERT_TRUE(disk);
    const auto second = open_file_disk(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, EBUSY);
    EXPECT_NE(second.error().what.find("in use"), std::string::npos) << second.error().what;
    FileDiskOptions options;
    options.read_only = true;
    const auto reader = open_file_disk(path, options);
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().code, EBUSY);
}

TEST_P(DiskDevice, mounted_device_is_refused_for_writing)
{
    // The claim that a mount makes.
    const int mounted = ::open(path.c_str(), O_RDWR | O_EXCL | O_CLOEXEC);
    ASSERT_GE(mounted, 0);
    const auto disk = open_file_disk(path);
    ASSERT_FALSE(disk);
    EXPECT_EQ(disk.error().code, EBUSY);
    EXPECT_NE(disk.error().what.find("mounted"), std::string::npos) << disk.error().what;
    FileDiskOptions options;
    options.read_only = true;
    EXPECT_TRUE(open_file_disk(path, options));
    ::close(mounted);
}

// A descriptor of a device is claimed like its path.
TEST_P(DiskDevice, mounted_device_is_refused_for_writing_by_descriptor)
{
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    const int mounted = ::open(path.c_str(), O_RDWR | O_EXCL | O_CLOEXEC);
    ASSERT_GE(mounted, 0);
    for (const auto lock : {DiskLock::automatic, DiskLock::exclusive}) {
        FileDiskOptions options;
        options.lock = lock;
        const auto disk = open_file_disk(fd, "the device", options);
        ASSERT_FALSE(disk);
        EXPECT_EQ(disk.error().code, EBUSY);
        EXPECT_NE(disk.error().what.find("mounted"), std::string::npos) << disk.error().what;
    }
    FileDiskOptions options;
    options.read_only = true;
    EXPECT_TRUE(open_file_disk(fd, "the device", options));
    options = {};
    options.lock = DiskLock::none;
    EXPECT_TRUE(open_file_disk(fd, "the device", options));
    ::close(mounted);
    EXPECT_TRUE(open_file_disk(fd, "the device"));
    ::close(fd);
}

// The claim is the descriptor's own: seen by who may set the size of blocks, as this test
// may, or said.
TEST_P(DiskDevice, descriptor_with_a_claim_is_not_in_use)
{
    const int fd = ::open(path.c_str(), O_RDWR | O_EXCL | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    for (const bool claimed : {false, true}) {
        FileDiskOptions options;
        options.claimed = claimed;
        EXPECT_TRUE(open_file_disk(fd, "the device", options)) << claimed;
    }
    ::close(fd);
}

TEST_P(DiskDevice, claim_of_a_descriptor_is_the_disks)
{
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    {
        const auto disk = open_file_disk(fd, "the device");
        ASSERT_TRUE(disk);
        EXPECT_LT(::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC), 0);
        EXPECT_EQ(errno, EBUSY);
    }
    const int free = ::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC);
    EXPECT_GE(free, 0) << "still claimed";
    ::close(free);
    ::close(fd);
}

// Locks belong to a node, claims to the device.
TEST_P(DiskDevice, other_node_of_the_device_is_refused)
{
    struct stat status {};
    ASSERT_EQ(::fstat(loop_, &status), 0);
    const std::string node = file.path() + ".node";
    ASSERT_EQ(::mknod(node.c_str(), S_IFBLK | 0600, status.st_rdev), 0);
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    const int other = ::open(node.c_str(), O_RDWR | O_CLOEXEC);
    ::unlink(node.c_str());
    if (other < 0)
        GTEST_SKIP() << "no device nodes in the directory of temporary files";
    {
        const auto disk = open_file_disk(fd, "the device");
        ASSERT_TRUE(disk);
        for (const bool read_only : {false, true}) {
            FileDiskOptions options;
            options.read_only = read_only;
            const auto second = open_file_disk(other, "the node", options);
            ASSERT_FALSE(second);
            EXPECT_EQ(second.error().code, EBUSY);
        }
    }
    EXPECT_TRUE(open_file_disk(other, "the node"));
    ::close(fd);
    ::close(other);
}

TEST_P(DiskDevice, device_that_is_read_only_is_refused_for_writing)
{
    int on = 1;
    ASSERT_EQ(::ioctl(loop_, BLKROSET, &on), 0);
    const auto disk = open_file_disk(path);
    ASSERT_FALSE(disk);
    EXPECT_EQ(disk.error().code, EROFS);
    EXPECT_NE(disk.error().what.find("read-only"), std::string::npos) << disk.error().what;
    FileDiskOptions options;
    options.read_only = true;
    EXPECT_TRUE(open_file_disk(path, options));
    on = 0;
    ASSERT_EQ(::ioctl(loop_, BLKROSET, &on), 0);
    EXPECT_TRUE(open());
}

TEST_P(DiskDevice, claim_ends_with_the_disk)
{
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(open()) << i;
}

TEST_P(DiskDevice, blocks_of_4096_bytes)
{
    if (::ioctl(loop_, LOOP_SET_BLOCK_SIZE, 4096ul) != 0)
        GTEST_SKIP() << "the host's loop device has no such blocks";
    for (const bool direct : {false, true}) {
        FileDiskOptions options;
        options.direct = direct;
        const auto disk = open(options);
        ASSERT_TRUE(disk);
        EXPECT_EQ(disk->info().logical_block_size, 4096u);
    }
    // Smaller ones through the page cache, not past it.
    FileDiskOptions options;
    options.logical_block_size = 512;
    {
        const auto disk = open(options);
        ASSERT_TRUE(disk);
        Bytes data(512, 3);
        EXPECT_EQ(transfer(*disk, BlockOp::write, 512, data.data(), 512), 0);
        EXPECT_EQ(command(*disk, BlockOp::write_zeroes, 1024, 512), 0);
        EXPECT_EQ(command(*disk, BlockOp::discard, 0, 512), 0) << "less than a block: a hint";
        EXPECT_EQ(transfer(*disk, BlockOp::read, 512, data.data(), 512), 0);
        EXPECT_EQ(data, Bytes(512, 3));
    }
    options.direct = true;
    const auto refused = open_file_disk(path, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, EINVAL);
}

// Past the host's page cache, and past the disk's own cache.
TEST_P(DiskDevice, flushes_and_durable_writes_reach_the_device)
{
    for (const bool direct : {false, true}) {
        FileDiskOptions options;
        options.direct = direct;
        const auto disk = open(options);
        ASSERT_TRUE(disk);
        Bytes data(4096, 5);
        EXPECT_EQ(transfer(*disk, BlockOp::write, 0, data.data(), data.size()), 0);
        unsigned long before = flushes();
        EXPECT_EQ(command(*disk, BlockOp::flush), 0);
        EXPECT_GT(flushes(), before);
        EXPECT_EQ(file.read(0, 4096), data);
        before = flushes();
        data.assign(4096, 6);
        WaitRequest durable(BlockOp::write, 4096, {{data.data(), data.size()}});
        durable.durable = true;
        EXPECT_EQ(run(*disk, durable), 0);
        EXPECT_GT(flushes(), before);
        EXPECT_EQ(file.read(4096, 4096), data);
    }
}

INSTANTIATE_TEST_SUITE_P(, DiskDevice, testing::Values(DiskEngine::io_uring, DiskEngine::threads),
                         [](const auto& info) {
                             return info.param == DiskEngine::io_uring ? "io_uring" : "threads";
                         });

}  // namespace
}  // namespace lkl::test
