// SPDX-License-Identifier: GPL-2.0-only
// Disks through the C interface.
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl.h>

#include "boot/capi_disk.hpp"

namespace capi {
namespace {

TEST_F(CapiDisk, BytesOfAFileDiskAreInTheFile)
{
    std::string path;
    const int fd = make_file(path, disk_size);
    ASSERT_EQ(::pwrite(fd, "from the host", 13, 4096), 13);
    lkl_disk disk = file_disk(fd);
    const int number = lkl_disk_add(&disk);
    ASSERT_GE(number, 0) << lkl_error_message();

    const unsigned device = open_device(number, 0, LKL_O_RDWR);
    char text[16] = "";
    EXPECT_EQ(lkl_sys_pread64(device, text, 13, 4096), 13);
    EXPECT_STREQ(text, "from the host");
    EXPECT_EQ(lkl_sys_pwrite64(device, "from the kernel", 15, 8192), 15);
    EXPECT_EQ(lkl_sys_fsync(device), 0);
    EXPECT_EQ(lkl_sys_close(device), 0);
    EXPECT_EQ(::pread(fd, text, 15, 8192), 15);
    EXPECT_EQ(std::memcmp(text, "from the kernel", 15), 0);

    // The kernel's lock is on the file, whoever opens it.
    const int again = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    lkl_disk second = file_disk(again);
    EXPECT_EQ(lkl_disk_add(&second), -LKL_EBUSY);
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
    EXPECT_EQ(lkl_disk_remove(disk), -LKL_EINVAL);
    uint32_t gone = 0;
    EXPECT_EQ(lkl_get_virtio_blkdev(number, 0, &gone), -LKL_EINVAL);
    EXPECT_GE(lkl_disk_add(&second), 0) << lkl_error_message();
    EXPECT_EQ(lkl_disk_remove(second), 0);
    ::close(again);
    ::close(fd);
}

TEST_F(CapiDisk, ADescriptorForReadingIsADiskForReading)
{
    std::string path;
    ::close(make_file(path, disk_size));
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    lkl_disk disk = file_disk(fd);
    const int number = lkl_disk_add(&disk);
    ::close(fd);  // the disk has its own
    ASSERT_GE(number, 0) << lkl_error_message();
    const unsigned device = open_device(number, 0, LKL_O_RDONLY);
    int read_only = 0;
    EXPECT_EQ(lkl_sys_ioctl(device, LKL_BLKROGET, reinterpret_cast<unsigned long>(&read_only)), 0);
    EXPECT_EQ(read_only, 1);
    EXPECT_EQ(lkl_sys_close(device), 0);
}

TEST_F(CapiDisk, BadDescriptorsAreRefused)
{
    lkl_disk disk = file_disk(-1);
    EXPECT_EQ(lkl_disk_add(&disk), -LKL_EBADF);
    int fds[2];
    ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    disk = file_disk(fds[0]);
    EXPECT_EQ(lkl_disk_add(&disk), -LKL_ENOTBLK);
    EXPECT_NE(std::string(lkl_error_message()), "");
    ::close(fds[0]);
    ::close(fds[1]);
}

class CapiOwnDisk : public CapiDisk, public testing::WithParamInterface<lkl_dev_blk_ops*> {};

INSTANTIATE_TEST_SUITE_P(Forms, CapiOwnDisk, testing::Values(&request_ops, &submit_ops),
                         [](const auto& info) {
                             return info.param == &request_ops ? "request" : "submit";
                         });

TEST_P(CapiOwnDisk, BytesComeFromTheProgram)
{
    std::memcpy(program.bytes.data() + 4096, "from the program", 16);
    lkl_disk disk = own_disk(*GetParam());
    const int number = lkl_disk_add(&disk);
    ASSERT_GE(number, 0) << lkl_error_message();
    const int flushes = program.flushes;

    const unsigned device = open_device(number, 0, LKL_O_RDWR);
    char text[17] = "";
    EXPECT_EQ(lkl_sys_pread64(device, text, 16, 4096), 16);
    EXPECT_STREQ(text, "from the program");

    std::vector<char> data(1 << 20);
    for (size_t i = 0; i < data.size(); i++)
        data[i] = static_cast<char>(i * 31 + i / 4096);
    EXPECT_EQ(lkl_sys_pwrite64(device, data.data(), data.size(), 1 << 20),
              static_cast<long>(data.size()));
    EXPECT_EQ(lkl_sys_fsync(device), 0);
    EXPECT_GT(program.flushes, flushes);
    {
        const std::lock_guard lock(program.mutex);
        EXPECT_EQ(std::memcmp(program.bytes.data() + (1 << 20), data.data(), data.size()), 0);
    }

    program.broken = true;
    EXPECT_EQ(lkl_sys_pread64(device, text, 16, 6 << 20), -LKL_EIO);
    EXPECT_EQ(lkl_sys_pwrite64(device, text, 16, 5 << 20), -LKL_EIO)
        << "a write of a part of a block has to read it";
    program.broken = false;
    EXPECT_EQ(lkl_sys_pread64(device, text, 16, 6 << 20), 16);
    EXPECT_EQ(lkl_sys_close(device), 0);
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

TEST_P(CapiOwnDisk, PartitionsHaveDevicesOfTheirOwn)
{
    // A partition table of one Linux partition, 1 MiB from the start, 2 MiB long.
    char* const entry = program.bytes.data() + 446;
    entry[4] = static_cast<char>(0x83);
    const uint32_t place[2] = {2048, 4096};
    std::memcpy(entry + 8, place, sizeof(place));
    program.bytes[510] = 0x55;
    program.bytes[511] = static_cast<char>(0xaa);
    std::memcpy(program.bytes.data() + (1 << 20), "first partition", 15);

    lkl_disk disk = own_disk(*GetParam());
    const int number = lkl_disk_add(&disk);
    ASSERT_GE(number, 0) << lkl_error_message();
    uint32_t whole = 0;
    uint32_t part = 0;
    EXPECT_EQ(lkl_get_virtio_blkdev(number, 0, &whole), 0) << lkl_error_message();
    EXPECT_EQ(lkl_get_virtio_blkdev(number, 1, &part), 0) << lkl_error_message();
    EXPECT_NE(whole, part);
    EXPECT_EQ(lkl_get_virtio_blkdev(number, 2, &part), -LKL_ENXIO);
    EXPECT_EQ(lkl_get_virtio_blkdev(number + 1, 0, &part), -LKL_EINVAL);
    EXPECT_EQ(lkl_get_virtio_blkdev(-1, 0, &part), -LKL_EINVAL);

    const unsigned device = open_device(number, 1, LKL_O_RDONLY);
    char text[16] = "";
    EXPECT_EQ(lkl_sys_pread64(device, text, 15, 0), 15);
    EXPECT_STREQ(text, "first partition");
    EXPECT_EQ(lkl_sys_lseek(device, 0, LKL_SEEK_END), 2 << 20);
    EXPECT_EQ(lkl_sys_close(device), 0);
}

TEST_P(CapiOwnDisk, WhatCannotBeMadeDurableIsTold)
{
    for (const bool halt : {false, true}) {
        lkl_disk disk = own_disk(*GetParam());
        const int number = lkl_disk_add(&disk);
        ASSERT_GE(number, 0) << lkl_error_message();
        const unsigned device = open_device(number, 0, LKL_O_RDWR);
        EXPECT_EQ(lkl_sys_pwrite64(device, "written", 7, 4096), 7);
        EXPECT_EQ(lkl_sys_close(device), 0);  // the last one writes the cache back
        program.unwritable = true;
        EXPECT_EQ(halt ? lkl_sys_halt() : lkl_disk_remove(disk), -LKL_EIO);
        EXPECT_EQ(lkl_disk_remove(disk), halt ? 0 : -LKL_EINVAL) << "it was removed all the same";
        program.unwritable = false;
    }
    EXPECT_EQ(lkl_is_running(), 0);
    EXPECT_STREQ(lkl_panic_message(), "");
}

TEST_P(CapiOwnDisk, DisksAreGoneAfterAHalt)
{
    lkl_disk disk = own_disk(*GetParam());
    ASSERT_GE(lkl_disk_add(&disk), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_halt(), 0);
    EXPECT_EQ(lkl_disk_remove(disk), 0);
    lkl_disk another = own_disk(*GetParam());
    EXPECT_EQ(lkl_disk_add(&another), -LKL_ESHUTDOWN);
}

}  // namespace
}  // namespace capi
