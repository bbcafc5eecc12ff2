// SPDX-License-Identifier: GPL-2.0-only
// Opening files as disks: what is accepted, what is refused and with which words.
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include <sys/mount.h>
#include <sys/wait.h>

#include <lkl/disk.hpp>

#include "support/forked_child.hpp"
#include "temp_file.hpp"
#include "test_disks.hpp"

namespace lkl::test {
namespace {

using Opened = Result<std::unique_ptr<BlockBackend>>;
using Bytes = std::vector<unsigned char>;

Opened open_with(const TempFile& file, const FileDiskOptions& options)
{
    return open_file_disk(file.path(), options);
}

void expect_error(const Opened& opened, int code, const std::string& part, const std::string& name)
{
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code);
    EXPECT_NE(opened.error().what.find(part), std::string::npos) << opened.error().what;
    EXPECT_EQ(opened.error().what.find(name), 0u) << opened.error().what;
    EXPECT_EQ(opened.error().what.find('\n'), std::string::npos);
}

FileDiskOptions read_only()
{
    FileDiskOptions options;
    options.read_only = true;
    return options;
}

class DiskFile : public testing::Test {
protected:
    TempFile file{1 << 20};
};

TEST_F(DiskFile, describes_itself)
{
    FileDiskOptions options;
    options.serial = "12345678901234567890";
    const auto disk = open_with(file, options);
    ASSERT_TRUE(disk);
    const BlockInfo info = (*disk)->info();
    EXPECT_EQ(info.capacity, 1u << 20);
    EXPECT_EQ(info.logical_block_size, 512u);
    EXPECT_EQ(info.physical_block_size, 4096u);
    EXPECT_FALSE(info.read_only);
    EXPECT_TRUE(info.flush);
    EXPECT_TRUE(info.discard);
    EXPECT_TRUE(info.write_zeroes);
    EXPECT_EQ(info.serial, options.serial);
}

TEST_F(DiskFile, logical_block_size_is_an_option)
{
    FileDiskOptions options;
    for (const uint32_t size : {512u, 1024u, 4096u}) {
        options.logical_block_size = size;
        const auto disk = open_with(file, options);
        ASSERT_TRUE(disk);
        EXPECT_EQ((*disk)->info().logical_block_size, size);
    }
    for (const uint32_t size : {1u, 256u, 513u, 8192u, 1u << 31}) {
        options.logical_block_size = size;
        expect_error(open_with(file, options), EINVAL, "block size", file.path());
    }
}

TEST_F(DiskFile, bad_options)
{
    FileDiskOptions options;
    options.serial = "123456789012345678901";
    expect_error(open_with(file, options), EINVAL, "serial", file.path());
    options = {};
    options.offset = 100;
    expect_error(open_with(file, options), EINVAL, "offset", file.path());
    options.offset = 2 << 20;
    expect_error(open_with(file, options), EINVAL, "behind the end", file.path());
    options = {};
    options.length = (1 << 20) + 512;
    expect_error(open_with(file, options), EINVAL, "1048576 bytes", file.path());
    options.offset = 512;
    options.length = ~0ull;
    expect_error(open_with(file, options), EINVAL, "behind the end", file.path());
    options = {};
    options.lock = DiskLock::exclusive;
    options.read_only = true;
    expect_error(open_with(file, options), EINVAL, "exclusive", file.path());
}

TEST_F(DiskFile, things_that_are_no_images)
{
    expect_error(open_file_disk("/does/not/exist"), ENOENT, "No such file", "/does/not/exist");
    expect_error(open_file_disk(testing::TempDir()), ENOTBLK, "neither", testing::TempDir());
    expect_error(open_file_disk("/dev/null"), ENOTBLK, "neither", "/dev/null");
    const std::string fifo = file.path() + ".fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    expect_error(open_file_disk(fifo), ENOTBLK, "neither", fifo);  // and does not wait
    ::unlink(fifo.c_str());
}

// ---- The end of the file ----

TEST(DiskFileSize, last_bytes_are_padded_when_read_only)
{
    TempFile file(1024 + 100);
    file.write(1024, Bytes(100, 7));
    for (const auto engine : {DiskEngine::io_uring, DiskEngine::threads}) {
        FileDiskOptions options = read_only();
        options.engine = engine;
        const auto disk = open_with(file, options);
        ASSERT_TRUE(disk);
        EXPECT_EQ((*disk)->info().capacity, 1536u);
        for (const bool cold : {false, true}) {
            if (cold)
                file.make_cold();
            Bytes data(1536, 0xff);
            EXPECT_EQ(transfer(**disk, BlockOp::read, 0, data.data(), 1536), 0);
            Bytes expected(1536);
            std::fill_n(expected.begin() + 1024, 100, 7);
            EXPECT_EQ(data, expected);
            Bytes last(512, 0xff);
            EXPECT_EQ(transfer(**disk, BlockOp::read, 1024, last.data(), 512), 0);
            EXPECT_EQ(last, Bytes(expected.begin() + 1024, expected.end()));
        }
    }
    EXPECT_EQ(file.size(), 1124u);
}

TEST(DiskFileSize, padded_reads_with_direct_io)
{
    TempFile file(8192 + 100);
    file.write(8192, Bytes(100, 7));
    for (const auto engine : {DiskEngine::io_uring, DiskEngine::threads}) {
        FileDiskOptions options = read_only();
        options.direct = true;
        options.engine = engine;
        const auto disk = open_with(file, options);
        if (!disk)
            GTEST_SKIP() << disk.error().what;
        const uint32_t block = (*disk)->info().logical_block_size;
        std::unique_ptr<void, decltype(&std::free)> data(std::aligned_alloc(4096, 4096),
                                                         &std::free);
        std::memset(data.get(), 0xff, 4096);
        EXPECT_EQ(transfer(**disk, BlockOp::read, 8192, data.get(), block), 0);
        Bytes expected(block);
        std::fill_n(expected.begin(), 100, 7);
        EXPECT_EQ(std::memcmp(data.get(), expected.data(), block), 0);
    }
}

TEST(DiskFileSize, uneven_size_is_refused_for_writing)
{
    TempFile file(1124);
    expect_error(open_with(file, {}), EINVAL, "1124 bytes is not a multiple", file.path());
    TempFile sectors(1536);
    FileDiskOptions options;
    EXPECT_TRUE(open_with(sectors, options));
    options.logical_block_size = 4096;
    expect_error(open_with(sectors, options), EINVAL, "of 4096", sectors.path());
    options.read_only = true;
    const auto disk = open_with(sectors, options);
    ASSERT_TRUE(disk);
    EXPECT_EQ((*disk)->info().capacity, 4096u);
}

TEST(DiskFileSize, empty_file)
{
    TempFile file(0);
    const auto disk = open_with(file, {});
    ASSERT_TRUE(disk);
    EXPECT_EQ((*disk)->info().capacity, 0u);
}

TEST_F(DiskFile, part_of_a_file)
{
    file.write(0, Bytes(1 << 20, 1));
    FileDiskOptions options;
    options.offset = 4096;
    options.length = 8192;
    {
        const auto disk = open_with(file, options);
        ASSERT_TRUE(disk);
        EXPECT_EQ((*disk)->info().capacity, 8192u);
        Bytes data(8192, 2);
        EXPECT_EQ(transfer(**disk, BlockOp::write, 0, data.data(), 8192), 0);
        EXPECT_EQ(command(**disk, BlockOp::write_zeroes, 512, 512), 0);
        EXPECT_EQ(command(**disk, BlockOp::discard, 4096, 4096), 0);
        Bytes back(8192, 9);
        EXPECT_EQ(transfer(**disk, BlockOp::read, 0, back.data(), 8192), 0);
        EXPECT_EQ(back[0], 2);
        EXPECT_EQ(back[512], 0);
        EXPECT_EQ(back[8191], 0);
    }
    EXPECT_EQ(file.read(4095, 2), (Bytes{1, 2}));
    EXPECT_EQ(file.read(8191, 2), (Bytes{2, 0}));
    EXPECT_EQ(file.read(12287, 2), (Bytes{0, 1}));
    // A part that ends within a sector could only be padded with its neighbour.
    options.length = 1000;
    options.read_only = true;
    expect_error(open_with(file, options), EINVAL, "multiple", file.path());
    options.length.reset();
    options.offset = 1 << 20;
    EXPECT_TRUE(open_with(file, options));
}

// ---- Locks ----

TEST_F(DiskFile, second_writer_is_kept_out)
{
    const auto writer = open_with(file, {});
    ASSERT_TRUE(writer);
    expect_error(open_with(file, {}), EBUSY, "in use by a writer", file.path());
    expect_error(open_with(file, read_only()), EBUSY, "in use by a writer", file.path());
}

TEST_F(DiskFile, readers_share_but_keep_writers_out)
{
    const auto one = open_with(file, read_only());
    const auto two = open_with(file, read_only());
    ASSERT_TRUE(one);
    ASSERT_TRUE(two);
    expect_error(open_with(file, {}), EBUSY, "in use by a reader", file.path());
}

TEST_F(DiskFile, lock_ends_with_the_disk)
{
    for (int i = 0; i < 100; ++i) {
        const auto writer = open_with(file, {});
        ASSERT_TRUE(writer) << i << ": " << writer.error().what;
    }
}

// The lock of a program that was killed stays for some milliseconds.
TEST_F(DiskFile, lock_is_waited_for)
{
    // The other thread may be held up for longer than is waited, but not each time.
    bool opened = false;
    for (int tries = 0; tries < 5 && !opened; ++tries) {
        auto writer = open_with(file, {});
        ASSERT_TRUE(writer);
        std::thread ends([disk = std::move(*writer)]() mutable {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            disk.reset();
        });
        opened = open_with(file, {}).has_value();
        ends.join();
    }
    EXPECT_TRUE(opened);
}

TEST_F(DiskFile, other_process_is_kept_out)
{
    const auto writer = open_with(file, {});
    ASSERT_TRUE(writer);
    // QEMU and others lock single bytes.
    const pid_t child = ::fork();
    if (child == 0) {
        const int fd = ::open(file.path().c_str(), O_RDWR | O_CLOEXEC);
        struct flock lock {};
        lock.l_type = F_RDLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = 100;
        lock.l_len = 1;
        const bool refused = ::fcntl(fd, F_OFD_SETLK, &lock) != 0 && errno == EAGAIN;
        ::_exit(refused ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST_F(DiskFile, locks_by_option)
{
    FileDiskOptions none;
    none.lock = DiskLock::none;
    FileDiskOptions shared;
    shared.lock = DiskLock::shared;
    const auto a = open_with(file, shared);
    const auto b = open_with(file, shared);
    const auto c = open_with(file, none);
    EXPECT_TRUE(a);
    EXPECT_TRUE(b);
    EXPECT_TRUE(c);
    FileDiskOptions exclusive;
    exclusive.lock = DiskLock::exclusive;
    expect_error(open_with(file, exclusive), EBUSY, "in use", file.path());
}

// ---- Descriptors ----

TEST_F(DiskFile, opens_by_descriptor)
{
    const int fd = ::open(file.path().c_str(), O_RDWR | O_CLOEXEC);
    {
        auto disk = open_file_disk(fd, "the image");
        ASSERT_TRUE(disk);
        expect_error(open_with(file, {}), EBUSY, "in use", file.path());
        Bytes data(512, 3);
        EXPECT_EQ(transfer(**disk, BlockOp::write, 512, data.data(), 512), 0);
    }
    // The lock belongs to the description, which is still open.
    EXPECT_TRUE(open_with(file, {})) << "still locked";
    EXPECT_EQ(file.read(512, 512), Bytes(512, 3));
    // The caller may close his.
    auto disk = open_file_disk(fd, "the image");
    ASSERT_TRUE(disk);
    ::close(fd);
    Bytes data(512);
    EXPECT_EQ(transfer(**disk, BlockOp::read, 512, data.data(), 512), 0);
    EXPECT_EQ(data[0], 3);
}

TEST_F(DiskFile, descriptor_with_o_nonblock_works)
{
    const int fd = ::open(file.path().c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    for (const auto engine : {DiskEngine::io_uring, DiskEngine::threads}) {
        FileDiskOptions options;
        options.engine = engine;
        auto disk = open_file_disk(fd, "the image", options);
        ASSERT_TRUE(disk);
        Bytes data(1 << 20, 4);
        EXPECT_EQ(transfer(**disk, BlockOp::write, 0, data.data(), data.size()), 0);
        file.make_cold();
        EXPECT_EQ(transfer(**disk, BlockOp::read, 0, data.data(), data.size()), 0);
    }
    ::close(fd);
}

TEST_F(DiskFile, unsuitable_descriptors)
{
    const auto try_flags = [&](int flags, const FileDiskOptions& options) {
        const int fd = ::open(file.path().c_str(), flags | O_CLOEXEC);
        EXPECT_GE(fd, 0);
        auto opened = open_file_disk(fd, "the image", options);
        ::close(fd);
        return opened;
    };
    expect_error(try_flags(O_RDONLY, {}), EBADF, "not open for this", "the image");
    expect_error(try_flags(O_WRONLY, {}), EBADF, "not open for this", "the image");
    expect_error(try_flags(O_WRONLY, read_only()), EBADF, "not open for this", "the image");
    expect_error(try_flags(O_PATH, read_only()), EBADF, "not open for this", "the image");
    expect_error(try_flags(O_RDWR | O_APPEND, {}), EINVAL, "appending", "the image");
    expect_error(open_file_disk(-1, "the image"), EBADF, "descriptor", "the image");
    FileDiskOptions direct;
    direct.direct = true;
    expect_error(try_flags(O_RDWR, direct), EINVAL, "do not agree", "the image");
    EXPECT_TRUE(try_flags(O_RDONLY, read_only()));
    EXPECT_TRUE(try_flags(O_RDWR, read_only()));
}

TEST_F(DiskFile, every_descriptor_is_closed_on_exec)
{
    for (const auto engine : {DiskEngine::io_uring, DiskEngine::threads}) {
        FileDiskOptions options;
        options.engine = engine;
        const auto disk = open_with(file, options);
        ASSERT_TRUE(disk);
        Bytes data(1 << 20, 4);
        EXPECT_EQ(transfer(**disk, BlockOp::write, 0, data.data(), data.size()), 0);
        const std::string image = std::filesystem::canonical(file.path());
        unsigned checked = 0;
        for (int fd = 3; fd < 100; ++fd) {
            const int flags = ::fcntl(fd, F_GETFD);
            if (flags < 0)
                continue;
            std::error_code error;
            const auto target =
                std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error)
                    .string();
            if (target == image || target.find("anon_inode") == 0) {
                ++checked;
                EXPECT_TRUE(flags & FD_CLOEXEC) << target;
            }
        }
        EXPECT_GE(checked, 2u) << "the test's own, and the disk's";
    }
}

// ---- One open file description, several users ----

// An open file description of the file, of the test's own.
class DiskDescription : public DiskFile {
protected:
    DiskDescription() : fd(::open(file.path().c_str(), O_RDWR | O_CLOEXEC)) {}
    ~DiskDescription() override { ::close(fd); }

    Opened open(const FileDiskOptions& options = {}) const
    {
        return open_file_disk(fd, "the image", options);
    }
    static FileDiskOptions unlocked()
    {
        FileDiskOptions options;
        options.lock = DiskLock::none;
        return options;
    }
    // 0, or the errno.
    int lock(short type) const
    {
        struct flock lock {};
        lock.l_type = type;
        lock.l_whence = SEEK_SET;
        return ::fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
    }
    // The lock that somebody has.
    short held() const
    {
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        EXPECT_EQ(::fcntl(file.fd(), F_OFD_GETLK, &lock), 0);
        return lock.l_type;
    }

    const int fd;
};

TEST_F(DiskDescription, disk_without_a_lock_leaves_that_of_another)
{
    const auto locked = open();
    ASSERT_TRUE(locked);
    EXPECT_TRUE(open(unlocked()));
    EXPECT_EQ(held(), F_WRLCK);
}

TEST_F(DiskDescription, disk_without_a_lock_leaves_that_of_the_caller)
{
    ASSERT_EQ(lock(F_WRLCK), 0);
    EXPECT_TRUE(open(unlocked()));
    EXPECT_EQ(held(), F_WRLCK);
}

// A disk with a lock uses the caller's, and gives it back as it was.
TEST_F(DiskDescription, lock_of_the_caller_is_there_afterwards)
{
    ASSERT_EQ(lock(F_WRLCK), 0);
    for (const bool reader : {true, false}) {
        {
            const auto disk = open(reader ? read_only() : FileDiskOptions{});
            ASSERT_TRUE(disk);
            EXPECT_EQ(held(), F_WRLCK);
        }
        EXPECT_EQ(held(), F_WRLCK);
    }
    ASSERT_EQ(lock(F_RDLCK), 0);
    {
        const auto disk = open();
        ASSERT_TRUE(disk);
        EXPECT_EQ(held(), F_WRLCK);
    }
    EXPECT_EQ(held(), F_RDLCK);
}

TEST_F(DiskDescription, second_writer_is_kept_out)
{
    {
        const auto writer = open();
        ASSERT_TRUE(writer);
        expect_error(open(), EBUSY, "in use by a writer", "the image");
        expect_error(open(read_only()), EBUSY, "in use by a writer", "the image");
        EXPECT_EQ(held(), F_WRLCK);
    }
    EXPECT_EQ(held(), F_UNLCK);
    EXPECT_TRUE(open());
}

TEST_F(DiskDescription, lock_of_readers_ends_with_the_last)
{
    for (const bool one_description : {true, false}) {
        auto one = open(read_only());
        auto two = one_description ? open(read_only()) : open_with(file, read_only());
        ASSERT_TRUE(one && two);
        expect_error(open(), EBUSY, "in use by a reader", "the image");
        one->reset();
        EXPECT_EQ(held(), F_RDLCK);
        two->reset();
        EXPECT_EQ(held(), F_UNLCK);
        EXPECT_TRUE(open());
    }
}

// ---- fork() ----

// A disk that was opened before, with threads that the child does not have.
class DiskFork : public DiskDescription, public testing::WithParamInterface<DiskEngine> {
protected:
    void SetUp() override
    {
        FileDiskOptions options;
        options.engine = GetParam();
        auto opened = open(options);
        ASSERT_TRUE(opened);
        disk = *std::move(opened);
        read();
        Bytes data(4096, 1);
        EXPECT_EQ(transfer(*disk, BlockOp::write, 0, data.data(), data.size()), 0);
        EXPECT_EQ(command(*disk, BlockOp::flush), 0);
    }
    // What the disk itself has to be asked for.
    void read() const
    {
        file.make_cold();
        Bytes data(512 << 10);
        EXPECT_EQ(transfer(*disk, BlockOp::read, 0, data.data(), data.size()), 0);
    }

    std::unique_ptr<BlockBackend> disk;
};

TEST_P(DiskFork, disk_that_ends_in_the_child_goes_on_in_the_parent)
{
    EXPECT_EQ(in_forked_child([&] { disk.reset(); }), 0);
    EXPECT_EQ(held(), F_WRLCK);
    read();
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
    disk.reset();
    EXPECT_EQ(held(), F_UNLCK);
}

// As of a program that opens its disks before it goes to the background.
TEST_P(DiskFork, unused_disk_works_in_the_child)
{
    const char* const sanitize = std::getenv("LKL_SANITIZE");
    if (sanitize && std::strstr(sanitize, "thread"))
        GTEST_SKIP() << "ThreadSanitizer ends a child of fork(2) that starts threads";
    disk.reset();
    FileDiskOptions options;
    options.engine = GetParam();
    disk = *open(options);
    EXPECT_EQ(in_forked_child([&] {
                  read();
                  EXPECT_EQ(command(*disk, BlockOp::flush), 0);
                  disk.reset();
                  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
                      EXPECT_EQ(task.path().filename(), std::to_string(::getpid()));
              }),
              0);
    EXPECT_EQ(held(), F_WRLCK);
}

TEST_P(DiskFork, child_is_kept_out_while_the_parent_has_the_disk)
{
    EXPECT_EQ(in_forked_child([&] {
                  expect_error(open(), EBUSY, "in use by a writer", "the image");
                  disk.reset();
                  expect_error(open(), EBUSY, "in use by a writer", "the image");
                  expect_error(open_with(file, {}), EBUSY, "in use by a writer", file.path());
              }),
              0);
    EXPECT_EQ(held(), F_WRLCK);
}

TEST_P(DiskFork, child_may_have_the_disk_after_the_parent)
{
    std::array<int, 2> refused{};
    ASSERT_EQ(::pipe2(refused.data(), O_CLOEXEC), 0);
    std::thread ends([&] {
        char byte = 0;
        EXPECT_EQ(::read(refused[0], &byte, 1), 1);
        disk.reset();
    });
    EXPECT_EQ(in_forked_child([&] {
                  EXPECT_FALSE(open());
                  EXPECT_EQ(::write(refused[1], "", 1), 1);
                  bool opened = false;
                  for (int tries = 0; tries < 10 && !opened; ++tries)
                      opened = open().has_value();
                  EXPECT_TRUE(opened);
                  EXPECT_EQ(held(), F_UNLCK) << "the child's own is gone with its disk";
              }),
              0);
    // Should the child have died.
    ::close(refused[1]);
    ends.join();
    ::close(refused[0]);
}

INSTANTIATE_TEST_SUITE_P(, DiskFork, testing::Values(DiskEngine::io_uring, DiskEngine::threads),
                         [](const auto& info) {
                             return info.param == DiskEngine::io_uring ? "io_uring" : "threads";
                         });

// ---- Host errors ----

// A file system with next to no room; needs the right to mount.
TEST(DiskFileFull, no_space_is_told_apart)
{
    std::string directory = testing::TempDir() + "/lkl-test-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    if (::mount("none", directory.c_str(), "tmpfs", 0, "size=1m") != 0) {
        ::rmdir(directory.c_str());
        GTEST_SKIP() << "cannot mount";
    }
    {
        TempFile file(8 << 20, directory);
        for (const auto engine : {DiskEngine::io_uring, DiskEngine::threads}) {
            FileDiskOptions options;
            options.engine = engine;
            const auto disk = open_with(file, options);
            ASSERT_TRUE(disk);
            Bytes data(512 << 10, 4);
            int result = 0;
            uint64_t offset = 0;
            for (; result == 0 && offset < 8 << 20; offset += data.size())
                result = transfer(**disk, BlockOp::write, offset, data.data(), data.size());
            EXPECT_EQ(result, -ENOSPC);
            EXPECT_LE(offset, 4u << 20);
            // Zeroes that have to keep their place need room, too.
            EXPECT_EQ(command(**disk, BlockOp::write_zeroes, 4 << 20, 2 << 20), -ENOSPC);
            EXPECT_EQ(command(**disk, BlockOp::discard, 0, 8 << 20), 0);
            EXPECT_EQ(transfer(**disk, BlockOp::write, 0, data.data(), data.size()), 0);
            EXPECT_EQ(command(**disk, BlockOp::discard, 0, 8 << 20), 0);
        }
    }
    EXPECT_EQ(::umount(directory.c_str()), 0) << "something is still open";
    ::rmdir(directory.c_str());
}

// Signals belong to the program: threads of a disk must not take them.
TEST_F(DiskFile, threads_block_all_signals)
{
    for (const auto engine : {DiskEngine::io_uring, DiskEngine::threads}) {
        FileDiskOptions options;
        options.engine = engine;
        const auto disk = open_with(file, options);
        ASSERT_TRUE(disk);
        Bytes data(1 << 20, 4);
        EXPECT_EQ(transfer(**disk, BlockOp::write, 0, data.data(), data.size()), 0);
        file.make_cold();
        EXPECT_EQ(transfer(**disk, BlockOp::read, 0, data.data(), data.size()), 0);
        unsigned checked = 0;
        for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
            std::ifstream comm(task.path() / "comm");
            std::string name;
            comm >> name;
            if (name != "lkl-disk")
                continue;
            ++checked;
            std::ifstream status(task.path() / "status");
            for (std::string line; std::getline(status, line);) {
                // All but SIGKILL, SIGSTOP and the two that glibc keeps for itself.
                if (line.find("SigBlk:") == 0) {
                    EXPECT_EQ(line.substr(line.size() - 16), "fffffffe7ffbfeff");
                }
            }
        }
        EXPECT_GT(checked, 0u);
    }
}

}  // namespace
}  // namespace lkl::test
