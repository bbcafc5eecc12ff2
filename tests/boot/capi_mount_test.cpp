// SPDX-License-Identifier: GPL-2.0-only
// Mounts of disks through the C interface.
#include <cstdlib>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl.h>

#include "boot/capi_disk.hpp"

namespace capi {
namespace {

class CapiMount : public CapiDisk {
protected:
    void SetUp() override
    {
        CapiDisk::SetUp();
        const int fd = make_file(image, size_t{16} << 20);
        if (std::system(("PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F " + image).c_str()) != 0)
            GTEST_SKIP() << "no mkfs.ext4";
        disk = file_disk(fd);
        number = lkl_disk_add(&disk);
        ::close(fd);
        ASSERT_GE(number, 0) << lkl_error_message();
        id = static_cast<unsigned>(number);
    }

    std::string image;
    lkl_disk disk;
    int number = -1;
    unsigned id = 0;
    char path[32] = "";
};

TEST_F(CapiMount, MountsUnmountsAndMountsAgain)
{
    for (int round = 0; round < 2; round++) {
        ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
            << lkl_error_message();
        uint32_t device = 0;
        EXPECT_EQ(lkl_get_virtio_blkdev(number, 0, &device), 0);
        struct lkl_stat status;
        EXPECT_EQ(lkl_sys_stat(path, &status), 0);
        EXPECT_EQ(status.st_dev, device);

        const std::string file = std::string(path) + "/file";
        const long fd = lkl_sys_open(file.c_str(), LKL_O_CREAT | LKL_O_RDWR, 0644);
        ASSERT_GE(fd, 0);
        char text[8] = "";
        // What the round before has left.
        EXPECT_EQ(lkl_sys_read(static_cast<unsigned>(fd), text, sizeof(text)), round ? 4 : 0);
        if (round == 0) {
            EXPECT_EQ(lkl_sys_write(static_cast<unsigned>(fd), "kept", 4), 4);
        } else {
            EXPECT_STREQ(text, "kept");
        }

        EXPECT_EQ(lkl_umount_dev(id, 0, 0, 20), -LKL_EBUSY);
        EXPECT_EQ(lkl_disk_remove(disk), -LKL_EBUSY);
        EXPECT_EQ(lkl_sys_close(static_cast<unsigned>(fd)), 0);
        EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
        EXPECT_EQ(lkl_sys_stat(path, &status), -LKL_ENOENT) << "the directory is left";
    }
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

TEST_F(CapiMount, AProgramMayUnmountByItself)
{
    const auto mount = [&] { return lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)); };
    ASSERT_EQ(mount(), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_umount(path, 0), 0);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), -LKL_EINVAL) << "there is only a directory";
    ASSERT_EQ(mount(), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_umount(path, 0), 0);
    ASSERT_EQ(mount(), 0) << lkl_error_message();
    struct lkl_stat status;
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_stat(path, &status), -LKL_ENOENT) << "the directory is left";

    ASSERT_EQ(mount(), 0) << lkl_error_message();
    EXPECT_EQ(lkl_disk_remove(disk), -LKL_EBUSY);
    EXPECT_EQ(lkl_sys_umount(path, 0), 0);
    EXPECT_EQ(lkl_disk_remove(disk), 0) << "held by a mount that is none: " << lkl_error_message();
}

// Nothing is lost by what was read-only, before or at last, by the program's own will.
TEST_F(CapiMount, AnUnmountOfWhatIsReadOnlyTellsOfNoLoss)
{
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    ASSERT_EQ(lkl_sys_mount("none", path, "", LKL_MS_REMOUNT | LKL_MS_RDONLY, nullptr), 0);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();

    // It is mounted read-only without being told so.
    if (std::system(("PATH=$PATH:/sbin:/usr/sbin mksquashfs /etc/hostname " + image +
                     " -noappend -quiet >/dev/null 2>&1")
                        .c_str()) != 0)
        GTEST_SKIP() << "no mksquashfs";
    const int fd = ::open(image.c_str(), O_RDWR | O_CLOEXEC);
    lkl_disk squashfs = file_disk(fd);
    const int added = lkl_disk_add(&squashfs);
    ::close(fd);
    ASSERT_GE(added, 0) << lkl_error_message();
    id = static_cast<unsigned>(added);
    ASSERT_EQ(lkl_mount_dev(id, 0, "squashfs", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
    EXPECT_EQ(lkl_disk_remove(squashfs), 0) << lkl_error_message();
}

// What somebody has mounted over it comes first.
TEST_F(CapiMount, UnmountsWhatIsOnTop)
{
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    ASSERT_EQ(lkl_sys_mount("none", path, "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(lkl_umount_timeout(path, 0, 1000), 0) << lkl_error_message();
    struct lkl_stat status;
    const std::string lost_found = std::string(path) + "/lost+found";
    EXPECT_EQ(lkl_sys_stat(lost_found.c_str(), &status), 0);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

// After 0 all would be on stable storage.
TEST_F(CapiMount, AnUnmountOfADiskUnmountsNothingElse)
{
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    ASSERT_EQ(lkl_sys_mount(path, path, "", LKL_MS_BIND, nullptr), 0);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), -LKL_EBUSY);
    EXPECT_EQ(lkl_sys_umount(path, 0), 0) << "what was bound there is gone";
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

// Linux would make it read-only, and say that it is done.
TEST_F(CapiMount, TheRootOfAProgramIsBusy)
{
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    ASSERT_EQ(lkl_sys_chroot(path), 0);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 0), -LKL_EBUSY);
    EXPECT_EQ(lkl_umount_timeout("/", 0, 0), -LKL_EBUSY);
    const long fd = lkl_sys_creat("/file", 0644);
    EXPECT_GE(fd, 0) << "it is read-only";
    EXPECT_EQ(lkl_sys_close(static_cast<unsigned>(fd)), 0);
}

// The program's own is not its to remove.
TEST_F(CapiMount, AnUnmountRemovesTheDirectoryThatTheMountMade)
{
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    ASSERT_EQ(lkl_sys_mkdir("/data", 0755), 0);
    ASSERT_EQ(lkl_sys_mount(path, "/data", "", LKL_MS_MOVE, nullptr), 0);
    EXPECT_EQ(lkl_umount_timeout("/data", 0, 1000), 0) << lkl_error_message();
    struct lkl_stat status;
    EXPECT_EQ(lkl_sys_stat("/data", &status), 0) << "the program's directory is gone";
    EXPECT_EQ(lkl_sys_stat(path, &status), -LKL_ENOENT) << "the directory is left";
}

TEST_F(CapiMount, UnmountsWhatNobodyHasUsedSince)
{
    constexpr int mnt_expire = 4;
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    EXPECT_EQ(lkl_umount_dev(id, 0, mnt_expire, 0), -LKL_EAGAIN);
    EXPECT_EQ(lkl_umount_dev(id, 0, mnt_expire, 0), 0) << lkl_error_message();
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

TEST_F(CapiMount, FlagsAndOptionsAreTheKernels)
{
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", LKL_MS_RDONLY, "errors=panic,data=journal", path,
                            sizeof(path)),
              0)
        << lkl_error_message();
    const std::string file = std::string(path) + "/file";
    EXPECT_EQ(lkl_sys_creat(file.c_str(), 0644), -LKL_EROFS);
    EXPECT_EQ(lkl_mount_fs("proc"), 0);
    const auto fd = static_cast<unsigned>(lkl_sys_open("/proc/mounts", LKL_O_RDONLY, 0));
    char mounts[4096] = "";
    EXPECT_GT(lkl_sys_read(fd, mounts, sizeof(mounts) - 1), 0);
    EXPECT_NE(std::strstr(mounts, "errors=panic"), nullptr) << mounts;
    EXPECT_EQ(lkl_sys_close(fd), 0);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0);
}

TEST_F(CapiMount, FailuresLeaveNothingMounted)
{
    EXPECT_EQ(lkl_mount_dev(id, 0, "nosuchfs", 0, nullptr, path, sizeof(path)), -LKL_ENODEV);
    EXPECT_NE(std::string(lkl_error_message()).find("nosuchfs"), std::string::npos);
    EXPECT_EQ(lkl_mount_dev(id, 0, "squashfs", LKL_MS_RDONLY, nullptr, path, sizeof(path)),
              -LKL_EINVAL);
    EXPECT_EQ(lkl_mount_dev(id, 0, "ext4", 0, "nosuchoption", path, sizeof(path)), -LKL_EINVAL);
    EXPECT_EQ(lkl_mount_dev(id, 1, "ext4", 0, nullptr, path, sizeof(path)), -LKL_ENXIO);
    EXPECT_EQ(lkl_mount_dev(id + 1, 0, "ext4", 0, nullptr, path, sizeof(path)), -LKL_EINVAL);
    EXPECT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, 5), -LKL_ENOMEM);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 0), -LKL_ENOENT);
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    char other[32];
    EXPECT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, other, sizeof(other)), -LKL_EBUSY);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0);
}

TEST_F(CapiMount, AHaltWritesBackWhatIsMounted)
{
    ASSERT_EQ(lkl_mount_dev(id, 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    const std::string file = std::string(path) + "/file";
    const long fd = lkl_sys_creat(file.c_str(), 0644);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(lkl_sys_write(static_cast<unsigned>(fd), "not synced", 10), 10);
    EXPECT_EQ(lkl_sys_halt(), 0);
    lkl_cleanup();

    CapiDisk::SetUp();
    const int host = ::open(image.c_str(), O_RDWR | O_CLOEXEC);
    disk = file_disk(host);
    number = lkl_disk_add(&disk);
    ::close(host);
    ASSERT_GE(number, 0) << lkl_error_message();
    ASSERT_EQ(
        lkl_mount_dev(static_cast<unsigned>(number), 0, "ext4", 0, nullptr, path, sizeof(path)), 0)
        << lkl_error_message();
    const long again = lkl_sys_open(file.c_str(), LKL_O_RDONLY, 0);
    ASSERT_GE(again, 0);
    char text[16] = "";
    EXPECT_EQ(lkl_sys_read(static_cast<unsigned>(again), text, sizeof(text)), 10);
    EXPECT_STREQ(text, "not synced");
}

}  // namespace
}  // namespace capi
