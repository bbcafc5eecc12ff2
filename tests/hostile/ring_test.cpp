// SPDX-License-Identifier: GPL-2.0-only
// The ring of a file disk does nothing but its work, whoever submits to it.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <liburing.h>
#include <lkl/disk.hpp>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

constexpr unsigned entries = 256;  // as the disk has
constexpr unsigned disk_size = 1 << 20;

// The first descriptor of a ring in this process, or -1.
int ring_descriptor()
{
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code error;
        if (std::filesystem::read_symlink(entry.path(), error) == "anon_inode:[io_uring]")
            return std::stoi(entry.path().filename());
    }
    return -1;
}

class Ring : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = "/tmp/lkl-ring-XXXXXX";
        const int file = mkstemp(name.data());
        ASSERT_GE(file, 0);
        unlink(name.c_str());
        ASSERT_EQ(ftruncate(file, disk_size), 0);
        lkl::FileDiskOptions options;
        options.engine = lkl::DiskEngine::io_uring;
        io_uring probe{};
        if (io_uring_queue_init(1, &probe, 0) != 0)
            GTEST_SKIP() << "the host has no io_uring";
        io_uring_queue_exit(&probe);
        auto disk = lkl::open_file_disk(file, name, options);
        close(file);
        ASSERT_TRUE(disk) << disk.error().what;
        disk_ = *std::move(disk);
        descriptor_ = ring_descriptor();
        ASSERT_GE(descriptor_, 0);
        // The same layout as a ring that was made in the same way.
        io_uring like{};
        io_uring_params parameters{};
        parameters.flags = IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;
        ASSERT_EQ(io_uring_queue_init_params(entries, &like, &parameters), 0);
        io_uring_queue_exit(&like);
        ASSERT_EQ(io_uring_queue_mmap(descriptor_, &parameters, &ring_), 0);
    }

    // What becomes of an entry that `prepare` fills in.
    template <typename Prepare>
    int result_of(Prepare prepare)
    {
        io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
        prepare(entry);
        EXPECT_EQ(io_uring_submit(&ring_), 1);
        io_uring_cqe* completion = nullptr;
        EXPECT_EQ(io_uring_wait_cqe(&ring_, &completion), 0);
        const int result = completion->res;
        io_uring_cqe_seen(&ring_, completion);
        return result;
    }

    std::unique_ptr<lkl::BlockBackend> disk_;
    int descriptor_ = -1;
    io_uring ring_{};
};

TEST_F(Ring, TransfersOfTheDisksFileAreDone)
{
    std::array<char, 512> data{};
    const iovec buffer{data.data(), data.size()};
    EXPECT_EQ(result_of([&](io_uring_sqe* entry) {
                  io_uring_prep_readv(entry, 0, &buffer, 1, 0);
                  entry->flags |= IOSQE_FIXED_FILE;
              }),
              512);
}

TEST_F(Ring, OtherFilesAreNotReached)
{
    std::array<char, 512> data{};
    const iovec buffer{data.data(), data.size()};
    const int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    EXPECT_EQ(
        result_of([&](io_uring_sqe* entry) { io_uring_prep_readv(entry, file, &buffer, 1, 0); }),
        -EACCES);
    close(file);
}

TEST_F(Ring, OtherOperationsAreRefused)
{
    EXPECT_EQ(result_of([](io_uring_sqe* entry) {
                  io_uring_prep_openat(entry, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
                  entry->flags |= IOSQE_FIXED_FILE;
              }),
              -EACCES);
    for (const int operation : {IORING_OP_NOP, IORING_OP_OPENAT2, IORING_OP_CONNECT, IORING_OP_SEND,
                                IORING_OP_UNLINKAT, IORING_OP_SOCKET}) {
        EXPECT_EQ(result_of([operation](io_uring_sqe* entry) {
                      io_uring_prep_nop(entry);
                      entry->opcode = static_cast<uint8_t>(operation);
                      entry->flags |= IOSQE_FIXED_FILE;
                  }),
                  -EACCES)
            << operation;
    }
}

TEST_F(Ring, ItGetsNoOtherFiles)
{
    const int file = STDERR_FILENO;
    EXPECT_EQ(io_uring_register_files(&ring_, &file, 1), -EACCES);
    EXPECT_EQ(io_uring_register_files_update(&ring_, 0, &file, 1), -EACCES);
}

}  // namespace
