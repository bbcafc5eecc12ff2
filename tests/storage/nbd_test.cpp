// SPDX-License-Identifier: GPL-2.0-only
// A network block device of the kernel inside, whose server is a thread of the test at the
// other end of a socket pair of the same kernel.
// ctest: TIMEOUT=120
#include <algorithm>
#include <atomic>
#include <cstring>

#include <endian.h>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <lkl/linux/fs.h>
#include <lkl/linux/ioctl.h>

#include <lkl/linux/nbd.h>

#include "storage/common/storage.hpp"

namespace lkl::test {
namespace {

class Nbd : public Storage {
protected:
    static constexpr uint64_t size = 4 * MiB;
    const std::string path = "/dev/nbd0";

    Nbd() : Storage("nbd.nbds_max=1") {}

    void SetUp() override
    {
        int ends[2];
        ASSERT_EQ(kernel.syscall(__lkl__NR_socketpair, AF_UNIX, SOCK_STREAM, 0, ends), 0);
        server_ = ends[0];
        device_ = calls.open(path.c_str(), LKL_O_RDWR);
        ASSERT_GE(device_, 0);
        ASSERT_EQ(ioctl(device_, LKL_NBD_SET_BLKSIZE, 4096L), 0);
        ASSERT_EQ(ioctl(device_, LKL_NBD_SET_SIZE_BLOCKS, static_cast<long>(size / 4096)), 0);
        ASSERT_EQ(ioctl(device_, LKL_NBD_SET_FLAGS,
                        LKL_NBD_FLAG_HAS_FLAGS | LKL_NBD_FLAG_SEND_FLUSH | LKL_NBD_FLAG_SEND_TRIM),
                  0);
        ASSERT_EQ(ioctl(device_, LKL_NBD_SET_SOCK, long{ends[1]}), 0);
        crew_.add([this] { serve(); });
        crew_.add([this] { ioctl(device_, LKL_NBD_DO_IT); });
        // The size is there when the connection is.
        ASSERT_TRUE(becomes([&] { return calls.read_file("/sys/block/nbd0/pid") != ""; }));
    }
    void TearDown() override
    {
        ioctl(device_, LKL_NBD_DISCONNECT);
        kernel.syscall(__lkl__NR_shutdown, server_, SHUT_RDWR);
        crew_.join();
        EXPECT_EQ(calls.close(device_), 0);
        EXPECT_EQ(calls.close(server_), 0);
        Storage::TearDown();
    }
    void go_away() { kernel.syscall(__lkl__NR_shutdown, server_, SHUT_RDWR); }

    Bytes stored = Bytes(size);  // the server's
    std::atomic<int> flushes{0};
    std::atomic<uint64_t> trimmed{0};  // bytes
    const Watchdog watchdog{90s, "a network block device"};

private:
    // False at the end of the connection.
    bool receive(void* data, size_t length)
    {
        auto* at = static_cast<char*>(data);
        for (long n; length > 0; at += n, length -= static_cast<size_t>(n))
            if ((n = calls.read(server_, at, length)) <= 0)
                return false;
        return true;
    }
    void send(const void* data, size_t length)
    {
        auto* at = static_cast<const char*>(data);
        for (long n; length > 0; at += n, length -= static_cast<size_t>(n))
            if ((n = kernel.syscall(__lkl__NR_sendto, server_, at, length, MSG_NOSIGNAL, nullptr,
                                    0)) <= 0)
                return;
    }
    void serve()
    {
        struct ::lkl_nbd_request request;
        while (receive(&request, sizeof request)) {
            ASSERT_EQ(be32toh(request.magic), static_cast<uint32_t>(LKL_NBD_REQUEST_MAGIC));
            const uint64_t from = be64toh(request.from);
            const uint32_t length = be32toh(request.len);
            const uint32_t type = be32toh(request.type) & 0xffff;
            if (type == LKL_NBD_CMD_DISC)
                return;
            struct ::lkl_nbd_reply reply {};
            reply.magic = htobe32(LKL_NBD_REPLY_MAGIC);
            reply.cookie = request.cookie;
            if (type != LKL_NBD_CMD_FLUSH) {
                ASSERT_LE(from + length, size);
            }
            if (type == LKL_NBD_CMD_WRITE && !receive(stored.data() + from, length))
                return;
            if (type == LKL_NBD_CMD_FLUSH)
                ++flushes;
            if (type == LKL_NBD_CMD_TRIM)
                trimmed += length;
            send(&reply, sizeof reply);
            if (type == LKL_NBD_CMD_READ)
                send(stored.data() + from, length);
        }
    }

    long server_ = -1, device_ = -1;
    Crew crew_;
};

TEST_F(Nbd, ReadsWritesFlushesAndTrims)
{
    const Bytes data = pattern(MiB, 1);
    write(path, MiB, data);
    EXPECT_EQ(same(std::span(stored).subspan(MiB, MiB), data), MiB);
    EXPECT_GT(flushes, 0);
    stored[3 * MiB] = std::byte{7};
    const long fd = calls.open(path.c_str(), LKL_O_RDWR);
    ASSERT_EQ(ioctl(fd, LKL_BLKFLSBUF), 0);  // the page cache is that of the other descriptor too
    Bytes again(MiB);
    EXPECT_EQ(try_read(path, MiB, again), 0);
    EXPECT_TRUE(again == data);
    EXPECT_EQ(read(path, 3 * MiB, 1)[0], std::byte{7});
    const uint64_t range[2] = {2 * MiB, MiB};
    EXPECT_EQ(ioctl(fd, LKL_BLKDISCARD, range), 0);
    EXPECT_EQ(trimmed, MiB);
    EXPECT_EQ(calls.close(fd), 0);
}

TEST_F(Nbd, AServerThatGoesAwayIsAnError)
{
    Bytes block(4096);
    EXPECT_EQ(try_read(path, 0, block), 0);
    go_away();
    EXPECT_EQ(try_read(path, 2 * MiB, block), -LKL_EIO);
    EXPECT_LT(try_write(path, 3 * MiB, block), 0);
}

}  // namespace
}  // namespace lkl::test
