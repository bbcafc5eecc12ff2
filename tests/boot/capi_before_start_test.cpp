// SPDX-License-Identifier: GPL-2.0-only
// Devices that a program adds between lkl_init() and lkl_start_kernel(), which is the order
// of most programs.
// ctest: TIMEOUT=120
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl.h>

#include "support/forked_child.hpp"

namespace {

constexpr size_t disk_size = size_t{1} << 20;
constexpr size_t most_devices = 56;

// A program's disk, all of whose bytes are the same.
int get_capacity(lkl_disk, unsigned long long* capacity)
{
    *capacity = disk_size;
    return 0;
}

int fill(lkl_disk disk, lkl_blk_req* request)
{
    if (request->type != LKL_DEV_BLK_TYPE_READ)
        return LKL_DEV_BLK_STATUS_UNSUP;
    for (int i = 0; i < request->count; i++)
        std::memset(request->buf[i].iov_base, *static_cast<char*>(disk.handle),
                    request->buf[i].iov_len);
    return LKL_DEV_BLK_STATUS_OK;
}

lkl_dev_blk_ops fill_ops{
    .get_capacity = get_capacity, .request = fill, .submit = nullptr, .get_info = nullptr};

lkl_disk filled_with(char& byte)
{
    lkl_disk disk{};
    disk.handle = &byte;
    disk.ops = &fill_ops;
    return disk;
}

class CapiBeforeStart : public testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(lkl_init(&lkl_host_ops), 0); }
    void TearDown() override { lkl_cleanup(); }

    // The first byte of a disk, by its name in the kernel.
    static char first_byte(const char* name)
    {
        const std::string path = "/sys/class/block/" + std::string(name) + "/dev";
        lkl_sys_mkdir("/sys", 0755);
        lkl_sys_mount("sysfs", "/sys", "sysfs", 0, nullptr);
        unsigned major = 0;
        unsigned minor = 0;
        char text[32] = "";
        const long from = lkl_sys_open(path.c_str(), LKL_O_RDONLY, 0);
        if (from < 0)
            return 0;
        lkl_sys_read(static_cast<unsigned>(from), text, sizeof text - 1);
        lkl_sys_close(static_cast<unsigned>(from));
        EXPECT_EQ(std::sscanf(text, "%u:%u", &major, &minor), 2) << text;
        const std::string node = "/" + std::string(name);
        EXPECT_EQ(lkl_sys_mknod(node.c_str(), LKL_S_IFBLK | 0600,
                                static_cast<unsigned>(major << 8 | minor)),
                  0);
        const long fd = lkl_sys_open(node.c_str(), LKL_O_RDONLY, 0);
        EXPECT_GE(fd, 0);
        char byte = 0;
        EXPECT_EQ(lkl_sys_read(static_cast<unsigned>(fd), &byte, 1), 1);
        lkl_sys_close(static_cast<unsigned>(fd));
        return byte;
    }
};

TEST_F(CapiBeforeStart, DisksAreThereAfterTheStartInTheirOrder)
{
    char bytes[] = "abc";
    lkl_disk disks[3] = {filled_with(bytes[0]), filled_with(bytes[1]), filled_with(bytes[2])};
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(lkl_disk_add(&disks[i]), i) << lkl_error_message();
    uint32_t device = 0;
    EXPECT_EQ(lkl_get_virtio_blkdev(0, 0, &device), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_disk_remove(disks[1]), 0);
    EXPECT_EQ(lkl_disk_remove(disks[1]), -LKL_EINVAL) << "it was removed";

    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    EXPECT_EQ(first_byte("vda"), 'a');
    EXPECT_EQ(first_byte("vdb"), 'c');
    EXPECT_EQ(first_byte("vdc"), 0);
    // Numbers are as they were handed out, and go on behind.
    EXPECT_EQ(lkl_get_virtio_blkdev(0, 0, &device), 0);
    EXPECT_EQ(lkl_get_virtio_blkdev(1, 0, &device), -LKL_EINVAL);
    EXPECT_EQ(lkl_get_virtio_blkdev(2, 0, &device), 0);
    EXPECT_EQ(lkl_disk_add(&disks[1]), 3) << lkl_error_message();
    for (const lkl_disk& disk : disks)
        EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
    EXPECT_EQ(first_byte("vda"), 0);
    EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
}

lkl_disk of(int descriptor)
{
    lkl_disk disk{};
    disk.fd = descriptor;
    return disk;
}

// A file without a name, the size of a disk, that begins with 'f'.
int open_file()
{
    const char* const folder = std::getenv("TMPDIR");
    std::string path = std::string(folder ? folder : "/var/tmp") + "/lkl-capi-XXXXXX";
    const int fd = ::mkostemp(path.data(), O_CLOEXEC);
    EXPECT_GE(fd, 0);
    ::unlink(path.c_str());
    EXPECT_EQ(::ftruncate(fd, disk_size), 0);
    EXPECT_EQ(::pwrite(fd, "f", 1, 0), 1);
    return fd;
}

TEST_F(CapiBeforeStart, AFileIsOpenedWhenItIsAdded)
{
    const int fd = open_file();
    lkl_disk bad = of(-1);
    EXPECT_EQ(lkl_disk_add(&bad), -LKL_EBADF);
    lkl_disk disk = of(fd);
    ASSERT_EQ(lkl_disk_add(&disk), 0) << lkl_error_message();
    lkl_disk twice = of(fd);
    EXPECT_EQ(lkl_disk_add(&twice), -LKL_EBUSY) << "also by the same descriptor";
    const int other = ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(other, 0);
    lkl_disk same = of(other);
    EXPECT_EQ(lkl_disk_add(&same), -LKL_EBUSY) << "the file is the first one's";
    EXPECT_EQ(lkl_disk_remove(disk), 0);
    ASSERT_EQ(lkl_disk_add(&same), 1) << lkl_error_message();
    ::close(other);
    ::close(fd);

    // A start that fails before it comes to the disks keeps them.
    EXPECT_EQ(lkl_start_kernel("mem=1M"), -LKL_EINVAL);
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    EXPECT_EQ(first_byte("vda"), 'f');
    EXPECT_EQ(lkl_sys_halt(), 0);
}

TEST_F(CapiBeforeStart, ADiskStaysTheParentsWhenAChildCleansUp)
{
    const int fd = open_file();
    // Past the page cache, so that all that is read goes through what a child could break.
    const bool direct = ::fcntl(fd, F_SETFL, O_DIRECT) == 0;
    lkl_disk disk = of(fd);
    ASSERT_EQ(lkl_disk_add(&disk), 0) << lkl_error_message();
    EXPECT_EQ(lkl::test::in_forked_child([] { lkl_cleanup(); }), 0);
    const int other = ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(),
                             O_RDWR | O_CLOEXEC | (direct ? O_DIRECT : 0));
    lkl_disk second = of(other);
    EXPECT_EQ(lkl_disk_add(&second), -LKL_EBUSY) << "the lock is gone";
    ::close(other);
    ::close(fd);
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    EXPECT_EQ(first_byte("vda"), 'f');
    EXPECT_EQ(lkl_sys_halt(), 0);
}

TEST_F(CapiBeforeStart, WhatCannotBeAddedIsTheStartsError)
{
    char byte = 'x';
    std::vector<lkl_disk> disks(most_devices + 1, filled_with(byte));
    for (lkl_disk& disk : disks)
        ASSERT_GE(lkl_disk_add(&disk), 0) << lkl_error_message();
    EXPECT_EQ(lkl_start_kernel("mem=64M"), -LKL_ENOSPC);
    EXPECT_STREQ(lkl_error_message(),
                 "start kernel: disk 56: adding a disk: no interrupt line is left");
    EXPECT_EQ(lkl_is_running(), 0);
    EXPECT_EQ(lkl_sys_getpid(), -LKL_ESHUTDOWN);
    for (const lkl_disk& disk : disks)
        EXPECT_EQ(lkl_disk_remove(disk), -LKL_EINVAL) << "all of them are removed";

    EXPECT_EQ(lkl_disk_add(disks.data()), 57) << lkl_error_message();
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    EXPECT_EQ(first_byte("vda"), 'x');
    EXPECT_EQ(first_byte("vdb"), 0);
}

TEST_F(CapiBeforeStart, WithoutAStartCleanupRemovesThem)
{
    char byte = 'x';
    lkl_disk disk = filled_with(byte);
    ASSERT_EQ(lkl_disk_add(&disk), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_halt(), -LKL_ESHUTDOWN);
    lkl_cleanup();
    ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    EXPECT_EQ(first_byte("vda"), 0);
}

TEST_F(CapiBeforeStart, NetworkInterfacesAreThereAfterTheStart)
{
    std::array<lkl_netdev*, 3> devices{};
    for (auto& device : devices) {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        device = lkl_netdev_socket_create(ends[0]);
        ASSERT_NE(device, nullptr) << lkl_error_message();
        ::close(ends[0]);
        ::close(ends[1]);
    }
    std::array<uint8_t, 6> mac{2, 0, 0, 0, 0, 1};
    lkl_netdev_args args{mac.data(), LKL_NETDEV_OFFLOAD_ALL};
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(lkl_netdev_add(devices[static_cast<size_t>(i)], &args), i) << lkl_error_message();
        mac[5]++;
    }
    EXPECT_EQ(lkl_netdev_add(devices[0], &args), -LKL_EBUSY);
    EXPECT_EQ(lkl_netdev_get_ifindex(0), -LKL_ENODEV);
    lkl_netdev_stats stats{};
    EXPECT_EQ(lkl_netdev_get_stats(0, &stats), -LKL_ENODEV);
    lkl_netdev_remove(1);
    lkl_netdev_free(devices[1]);

    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    const int first = lkl_netdev_get_ifindex(0);
    const int third = lkl_netdev_get_ifindex(2);
    ASSERT_GT(first, 0);
    EXPECT_GT(third, first);
    EXPECT_EQ(lkl_netdev_get_ifindex(1), -LKL_ENODEV);
    const long fd = lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0);
    for (const auto& [name, last] : {std::pair{"eth0", 1}, std::pair{"eth1", 3}}) {
        struct lkl_ifreq request {};
        std::strcpy(request.lkl_ifr_name, name);
        EXPECT_EQ(lkl_sys_ioctl(static_cast<unsigned>(fd), LKL_SIOCGIFHWADDR,
                                reinterpret_cast<long>(&request)),
                  0);
        EXPECT_EQ(request.lkl_ifr_hwaddr.sa_data[5], last) << name;
    }
    EXPECT_EQ(lkl_netdev_get_stats(2, &stats), 0) << lkl_error_message();
    lkl_netdev_remove(0);
    EXPECT_EQ(lkl_netdev_get_ifindex(0), -LKL_ENODEV);
    EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
    lkl_netdev_free(devices[0]);
    lkl_netdev_free(devices[2]);
}

}  // namespace
