// SPDX-License-Identifier: GPL-2.0-only
// Disks and mounts through the C interface.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl.h>

namespace {

using namespace std::chrono_literals;

constexpr size_t sector = 512;
constexpr size_t disk_size = size_t{8} << 20;
constexpr int mnt_detach = 2;  // a flag of umount2(2), in no header of the user API

// A program's own disk, in memory.
struct Program {
    std::vector<char> bytes = std::vector<char>(disk_size);
    std::mutex mutex;
    std::atomic<int> flushes{0};
    std::atomic<bool> broken{false};
    std::atomic<bool> unwritable{false};  // but readable
    std::atomic<bool> lossy{false};       // as well, and flushes succeed
    std::atomic<char> refused{0};         // writes that begin with it fail: data, and nothing else

    int carry_out(const lkl_blk_req& request)
    {
        if (request.type == LKL_DEV_BLK_TYPE_FLUSH) {
            flushes++;
            return unwritable ? LKL_DEV_BLK_STATUS_IOERR : LKL_DEV_BLK_STATUS_OK;
        }
        if (broken || ((unwritable || lossy) && request.type == LKL_DEV_BLK_TYPE_WRITE))
            return LKL_DEV_BLK_STATUS_IOERR;
        const std::lock_guard lock(mutex);
        char* at = bytes.data() + request.sector * sector;
        if (request.type == LKL_DEV_BLK_TYPE_WRITE && refused != 0 && request.count > 0 &&
            *static_cast<const char*>(request.buf[0].iov_base) == refused)
            return LKL_DEV_BLK_STATUS_IOERR;
        for (int i = 0; i < request.count; i++) {
            const iovec& part = request.buf[i];
            if (request.type == LKL_DEV_BLK_TYPE_READ)
                std::memcpy(part.iov_base, at, part.iov_len);
            else
                std::memcpy(at, part.iov_base, part.iov_len);
            at += part.iov_len;
        }
        return LKL_DEV_BLK_STATUS_OK;
    }
};

Program& program_of(lkl_disk disk)
{
    return *static_cast<Program*>(disk.handle);
}

int get_capacity(lkl_disk disk, unsigned long long* capacity)
{
    *capacity = program_of(disk).bytes.size();
    return 0;
}

int request(lkl_disk disk, lkl_blk_req* request)
{
    return program_of(disk).carry_out(*request);
}

void submit(lkl_disk disk, lkl_blk_req* request)
{
    // As a program with its own event loop would: the answer comes from elsewhere.
    std::thread([disk, request] {
        lkl_blk_complete(request, program_of(disk).carry_out(*request));
    }).detach();
}

lkl_dev_blk_ops request_ops{
    .get_capacity = get_capacity, .request = request, .submit = nullptr, .get_info = nullptr};
lkl_dev_blk_ops submit_ops{
    .get_capacity = get_capacity, .request = nullptr, .submit = submit, .get_info = nullptr};

class CapiDisk : public testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
        ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    }
    void TearDown() override
    {
        if (lkl_is_running()) {
            EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
        }
        lkl_cleanup();
        for (const std::string& file : files_)
            ::unlink(file.c_str());
    }

    // A file of the host that is gone after the test; its descriptor.
    int make_file(std::string& path, size_t size)
    {
        const char* const folder = std::getenv("TMPDIR");
        path = std::string(folder ? folder : "/var/tmp") + "/lkl-capi-XXXXXX";
        const int fd = ::mkostemp(path.data(), O_CLOEXEC);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(::ftruncate(fd, static_cast<off_t>(size)), 0);
        files_.push_back(path);
        return fd;
    }

    static lkl_disk file_disk(int fd)
    {
        lkl_disk disk;
        std::memset(&disk, 0xff, sizeof(disk));  // as a program leaves it
        disk.fd = fd;
        disk.ops = nullptr;
        return disk;
    }

    lkl_disk own_disk(lkl_dev_blk_ops& ops)
    {
        lkl_disk disk;
        std::memset(&disk, 0xff, sizeof(disk));
        disk.handle = &program;
        disk.ops = &ops;
        return disk;
    }

    // The disk's, or a partition's, special file.
    static unsigned open_device(int number, unsigned part, int flags)
    {
        uint32_t device = 0;
        EXPECT_EQ(lkl_get_virtio_blkdev(number, part, &device), 0) << lkl_error_message();
        EXPECT_EQ(lkl_sys_mknod("/disk", LKL_S_IFBLK | 0600, device), 0);
        const long fd = lkl_sys_open("/disk", flags, 0);
        EXPECT_GE(fd, 0) << lkl_strerror(static_cast<int>(fd));
        EXPECT_EQ(lkl_sys_unlink("/disk"), 0);
        return static_cast<unsigned>(fd);
    }

    Program program;

private:
    std::vector<std::string> files_;
};

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
    const unsigned fd = write_file();
    program.unwritable = true;
    EXPECT_EQ(lkl_sys_close(fd), 0);
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
        const unsigned fd = write_file();
        program.unwritable = true;
        EXPECT_EQ(lkl_sys_close(fd), 0);
        EXPECT_EQ(lkl_umount_timeout(path, flags, 1000), -LKL_EIO) << flags;
        program.unwritable = false;
        mount();
    }
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
}

TEST_P(CapiFailingMount, AHaltTellsWhatIsLost)
{
    const unsigned fd = write_file();
    program.unwritable = true;
    EXPECT_EQ(lkl_sys_close(fd), 0);
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
        const unsigned fd = write_file();
        program.lossy = true;
        EXPECT_EQ(lkl_sys_close(fd), 0);
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
        const unsigned fd = write_file();
        program.lossy = true;
        EXPECT_EQ(lkl_sys_close(fd), 0);
        EXPECT_EQ(lkl_umount_timeout(spelled.c_str(), 0, 1000), -LKL_EIO) << spelled;
        program.lossy = false;
        mount();
    }
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
}

// The program's own call tells nothing.
TEST_P(CapiFailingMount, AHaltTellsWhatWasLostByAnUnmount)
{
    const unsigned fd = write_file();
    program.lossy = true;
    EXPECT_EQ(lkl_sys_close(fd), 0);
    EXPECT_EQ(lkl_sys_umount(path, 0), 0);
    program.lossy = false;
    mount();
    EXPECT_EQ(lkl_umount_dev(id, 0, 0, 1000), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

// What hides a mount from the program, or from the thread that halts the kernel.
class CapiHiddenMount : public CapiFailingMount {
protected:
    // What is written is lost.
    void lose_file()
    {
        const unsigned fd = write_file();
        program.lossy = true;
        EXPECT_EQ(lkl_sys_close(fd), 0);
    }
};

INSTANTIATE_TEST_SUITE_P(Types, CapiHiddenMount, testing::Values("vfat", "ext4"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(CapiHiddenMount, AHaltTellsOfTheRootOfAProgram)
{
    lose_file();
    ASSERT_EQ(lkl_sys_chroot(path), 0);
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

TEST_P(CapiHiddenMount, AHaltTellsOfWhatIsMountedOver)
{
    lose_file();
    ASSERT_EQ(lkl_sys_mount(path, path, "", LKL_MS_BIND, nullptr), 0);
    ASSERT_EQ(lkl_sys_mount("none", path, "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

TEST_P(CapiHiddenMount, AHaltTellsOfWhatWasMoved)
{
    lose_file();
    ASSERT_EQ(lkl_sys_mkdir("/elsewhere", 0755), 0);
    ASSERT_EQ(lkl_sys_mount(path, "/elsewhere", "", LKL_MS_MOVE, nullptr), 0);
    ASSERT_EQ(lkl_sys_rmdir(path), 0);
    EXPECT_EQ(lkl_sys_halt(), -LKL_EIO);
}

TEST_P(CapiHiddenMount, AHaltTellsWhatAUserMayNotSee)
{
    ASSERT_EQ(lkl_sys_chmod("/mnt", 0700), 0);
    lose_file();
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
