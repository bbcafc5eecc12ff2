// SPDX-License-Identifier: GPL-2.0-only
// Disks for the tests of the C interface: files of the host, and a program's own.
#pragma once

#include <atomic>
#include <cstdint>
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

namespace capi {

constexpr size_t sector = 512;
constexpr size_t disk_size = size_t{8} << 20;

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

inline Program& program_of(lkl_disk disk)
{
    return *static_cast<Program*>(disk.handle);
}

inline int get_capacity(lkl_disk disk, unsigned long long* capacity)
{
    *capacity = program_of(disk).bytes.size();
    return 0;
}

inline int request(lkl_disk disk, lkl_blk_req* request)
{
    return program_of(disk).carry_out(*request);
}

inline void submit(lkl_disk disk, lkl_blk_req* request)
{
    // As a program with its own event loop would: the answer comes from elsewhere.
    std::thread([disk, request] {
        lkl_blk_complete(request, program_of(disk).carry_out(*request));
    }).detach();
}

inline lkl_dev_blk_ops request_ops{
    .get_capacity = get_capacity, .request = request, .submit = nullptr, .get_info = nullptr};
inline lkl_dev_blk_ops submit_ops{
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

}  // namespace capi
