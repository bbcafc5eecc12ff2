// SPDX-License-Identifier: GPL-2.0-only
// What could not be written is told, whoever unmounts or halts.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl.h>

#include "boot/capi_disk.hpp"

namespace capi {
namespace {

using namespace std::chrono_literals;

constexpr int mnt_detach = 2;  // a flag of umount2(2), in no header of the user API

// A file system of a disk that fails once it is mounted.
class CapiFailingMount : public CapiDisk, public testing::WithParamInterface<const char*> {
protected:
    void SetUp() override
    {
        CapiDisk::SetUp();
        std::string image;
        const int fd = make_file(image, disk_size);
        const std::string make = std::string("PATH=$PATH:/sbin:/usr/sbin mkfs.") + GetParam() +
                                 " " + image + " >/dev/null 2>&1";
        const bool made = std::system(make.c_str()) == 0;
        EXPECT_EQ(::pread(fd, program.bytes.data(), disk_size, 0), static_cast<long>(disk_size));
        ::close(fd);
        if (!made)
            GTEST_SKIP() << "no mkfs." << GetParam();
        disk = own_disk(request_ops);
        const int number = lkl_disk_add(&disk);
        ASSERT_GE(number, 0) << lkl_error_message();
        id = static_cast<unsigned>(number);
        mount();
    }
    void mount()
    {
        ASSERT_EQ(lkl_mount_dev(id, 0, GetParam(), 0, nullptr, path, sizeof(path)), 0)
            << lkl_error_message();
    }
    // An open file with something that is not written back yet.
    unsigned write_file()
    {
        const unsigned fd = open_file();
        write_data(fd);
        return fd;
    }
    unsigned open_file()
    {
        const long fd = lkl_sys_creat((std::string(path) + "/file").c_str(), 0644);
        EXPECT_GE(fd, 0);
        return static_cast<unsigned>(fd);
    }
    static void write_data(unsigned fd)
    {
        const std::vector<char> data(65536, first_byte);
        EXPECT_EQ(lkl_sys_write(fd, data.data(), data.size()), static_cast<long>(data.size()));
    }
    // A file whose data is not written back when the disk fails in that way.
    void lose_file(std::atomic<bool>& failure)
    {
        const unsigned fd = write_file();
        failure = true;
        EXPECT_EQ(lkl_sys_close(fd), 0);
    }
    // What is written from now on is lost: the file system's own goes on.
    void refuse_data() { program.refused = first_byte; }

    static constexpr char first_byte = 'x';

    lkl_disk disk;
    unsigned id = 0;
    char path[32] = "";
};

INSTANTIATE_TEST_SUITE_P(Types, CapiFailingMount, testing::Values("vfat", "ext4"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(CapiFailingMount, AnUnmountTellsWhatIsLost)
{
    lose_file(program.unwritable);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), -LKL_EIO);
    EXPECT_NE(std::string(lkl_error_message()).find(path), std::string::npos)
        << lkl_error_message();
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), -LKL_ENOENT) << "it was unmounted all the same";
    program.unwritable = false;
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

// The kernel tells it once; the first call is not the one that unmounts.
TEST_P(CapiFailingMount, AnUnmountTellsWhatWasLostWhileItWasBusy)
{
    const unsigned fd = write_file();
    program.unwritable = true;
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 0), -LKL_EBUSY);
    program.unwritable = false;
    EXPECT_EQ(lkl_sys_close(fd), 0);
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), -LKL_EIO);
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

// A file may be written to until it is closed, when the unmount has waited for a while.
TEST_P(CapiFailingMount, AnUnmountTellsWhatIsLostWhileItWaits)
{
    const unsigned fd = open_file();
    std::thread writer([&] {
        std::this_thread::sleep_for(100ms);
        refuse_data();
        write_data(fd);
        EXPECT_EQ(lkl_sys_close(fd), 0);
    });
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 20'000), -LKL_EIO);
    writer.join();
    program.refused = 0;
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

// Of two that unmount at once one is told; the other one, that there is no mount.
TEST_P(CapiFailingMount, TwoUnmountsAtOnceTellIt)
{
    for (int round = 0; round < 20; ++round) {
        const unsigned fd = write_file();
        refuse_data();
        EXPECT_EQ(lkl_sys_close(fd), 0);
        long results[2] = {};
        std::thread other([&] { results[1] = lkl_umount_dev(id, 0, 0, 1000); });
        results[0] = lkl_umount_timeout(path, 0, 1000);
        other.join();
        EXPECT_NE(results[0] == -LKL_EIO, results[1] == -LKL_EIO) << results[0] << results[1];
        EXPECT_NE(results[0], 0);
        EXPECT_NE(results[1], 0);
        program.refused = 0;
        mount();
    }
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
}

TEST_P(CapiFailingMount, AnUnmountByPathOrWithFlagsTellsIt)
{
    for (const int flags : {0, mnt_detach}) {
        lose_file(program.unwritable);
        EXPECT_EQ(lkl_umount_timeout(path, flags, 1000), -LKL_EIO) << flags;
        program.unwritable = false;
        mount();
    }
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
}

TEST_P(CapiFailingMount, AHaltTellsWhatIsLost)
{
    lose_file(program.unwritable);
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
    EXPECT_STREQ(lkl_panic_message(), "");
    EXPECT_EQ(lkl_is_running(), 0) << "it is halted all the same";
    EXPECT_EQ(lkl_sys_halt(), -LKL_ESHUTDOWN);
}

// While there is no room for a thread in the kernel, calls of one that has made none fail.
class NoMoreThreads {
public:
    NoMoreThreads()
    {
        EXPECT_GE(lkl_mount_fs("proc"), 0) << lkl_error_message();
        limit_ = open(LKL_O_RDONLY);
        const long size = lkl_sys_read(limit_, before_, sizeof(before_));
        EXPECT_GT(size, 0);
        size_ = static_cast<size_t>(size);
        lkl_sys_close(limit_);
        limit_ = open(LKL_O_WRONLY);
        EXPECT_EQ(lkl_sys_write(limit_, "1", 1), 1);
    }
    ~NoMoreThreads()
    {
        EXPECT_EQ(lkl_sys_pwrite64(limit_, before_, size_, 0), static_cast<long>(size_));
        lkl_sys_close(limit_);
    }
    NoMoreThreads(const NoMoreThreads&) = delete;
    NoMoreThreads& operator=(const NoMoreThreads&) = delete;

private:
    static unsigned open(int flags)
    {
        const long fd = lkl_sys_open("/proc/sys/kernel/threads-max", flags, 0);
        EXPECT_GE(fd, 0);
        return static_cast<unsigned>(fd);
    }

    unsigned limit_ = 0;
    char before_[32] = "";
    size_t size_ = 0;
};

TEST_P(CapiFailingMount, AHaltTellsWhatIsLostAfterOneThatHasFailed)
{
    // Known of what is mounted still, and of what is not.
    for (const bool unmounted : {false, true}) {
        if (unmounted) {
            lkl_cleanup();
            SetUp();
        }
        lose_file(program.lossy);
        EXPECT_EQ(unmounted ? lkl_sys_umount(path, 0) : lkl_sys_sync(), 0);
        program.lossy = false;
        {
            const NoMoreThreads none;
            std::thread([] { EXPECT_EQ(lkl_sys_halt(), -LKL_EAGAIN); }).join();
        }
        EXPECT_EQ(lkl_is_running(), 1);
        EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
    }
}

// The first one has found it out, and could not end the kernel for want of the right to.
TEST_P(CapiFailingMount, AHaltTellsWhatOneThatHasFailedHasFoundOut)
{
    const unsigned fd = write_file();
    refuse_data();
    EXPECT_EQ(lkl_sys_close(fd), 0);
    std::atomic<bool> is_user{false};
    std::atomic<bool> is_full{false};
    std::thread user([&] {
        EXPECT_EQ(lkl_sys_setresuid(1000, 1000, 1000), 0);
        is_user = true;
        is_user.notify_one();
        is_full.wait(false);
        EXPECT_EQ(lkl_sys_halt(), -LKL_EAGAIN);
    });
    is_user.wait(false);
    {
        const NoMoreThreads none;
        is_full = true;
        is_full.notify_one();
        user.join();
    }
    EXPECT_EQ(lkl_is_running(), 1);
    program.refused = 0;
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

// What cannot be looked at is not gone.
TEST_P(CapiFailingMount, AnUnmountTellsWhatIsLostAfterCallsThatHaveFailed)
{
    const unsigned fd = write_file();
    refuse_data();
    EXPECT_EQ(lkl_sys_close(fd), 0);
    {
        const NoMoreThreads none;
        std::thread([this] {
            char other[32];
            EXPECT_EQ(lkl_mount_dev(id, 0, GetParam(), 0, nullptr, other, sizeof(other)),
                      -LKL_EAGAIN);
            EXPECT_LT(lkl_umount_timeout(path, 0, 0), 0);
        }).join();
    }
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), -LKL_EIO);
    EXPECT_EQ(lkl_disk_remove(disk), 0) << lkl_error_message();
}

// A mount is one, however its path is spelled.
TEST_P(CapiFailingMount, AnUnmountByAnyPathTellsIt)
{
    ASSERT_EQ(lkl_sys_chdir("/mnt"), 0);
    const std::string name = std::string(path).substr(std::strlen("/mnt/"));
    ASSERT_EQ(lkl_sys_symlink(path, "/link"), 0);
    for (const std::string& spelled :
         {path + std::string("/"), name, "./" + name + "/.", std::string("/link")}) {
        lose_file(program.lossy);
        EXPECT_EQ(lkl_umount_timeout(spelled.c_str(), 0, 1000), -LKL_EIO) << spelled;
        program.lossy = false;
        mount();
    }
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
}

// The program's own call tells nothing.
TEST_P(CapiFailingMount, AHaltTellsWhatWasLostByAnUnmount)
{
    lose_file(program.lossy);
    EXPECT_EQ(lkl_sys_umount(path, 0), 0);
    program.lossy = false;
    mount();
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

// What hides a mount from the program, or from the thread that halts the kernel.
class CapiHiddenMount : public CapiFailingMount {};

INSTANTIATE_TEST_SUITE_P(Types, CapiHiddenMount, testing::Values("vfat", "ext4"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(CapiHiddenMount, AHaltTellsOfTheRootOfAProgram)
{
    lose_file(program.lossy);
    ASSERT_EQ(lkl_sys_chroot(path), 0);
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

TEST_P(CapiHiddenMount, AHaltTellsOfWhatIsMountedOver)
{
    lose_file(program.lossy);
    ASSERT_EQ(lkl_sys_mount(path, path, "", LKL_MS_BIND, nullptr), 0);
    ASSERT_EQ(lkl_sys_mount("none", path, "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

TEST_P(CapiHiddenMount, AHaltTellsOfWhatWasMoved)
{
    lose_file(program.lossy);
    ASSERT_EQ(lkl_sys_mkdir("/elsewhere", 0755), 0);
    ASSERT_EQ(lkl_sys_mount(path, "/elsewhere", "", LKL_MS_MOVE, nullptr), 0);
    ASSERT_EQ(lkl_sys_rmdir(path), 0);
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

TEST_P(CapiHiddenMount, AHaltTellsWhatAUserMayNotSee)
{
    ASSERT_EQ(lkl_sys_chmod("/mnt", 0700), 0);
    lose_file(program.lossy);
    std::thread([] {
        ASSERT_EQ(lkl_sys_setresuid(1000, 1000, 1000), 0);
        EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
    }).join();
    EXPECT_EQ(lkl_is_running(), 0);
}

// And of what is written, nothing.
TEST_P(CapiHiddenMount, AHaltTellsOfNoLossWhereThereIsNone)
{
    EXPECT_EQ(lkl_sys_close(write_file()), 0);
    ASSERT_EQ(lkl_sys_mount("none", path, "tmpfs", 0, nullptr), 0);
    ASSERT_EQ(lkl_sys_chroot(path), 0);
    EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
}

}  // namespace
}  // namespace capi
