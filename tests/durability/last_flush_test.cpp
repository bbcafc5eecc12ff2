// SPDX-License-Identifier: GPL-2.0-only
// What was written is on stable storage when its disk is removed, its kernel halted, or its
// cache turned off: docs/durability.md.
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/mount.hpp>
#include <lkl/record.hpp>

#include "durability/common/disk_image.hpp"
#include "durability/common/file_system.hpp"
#include "support/kernel.hpp"
#include "support/must.hpp"
#include "unit/test_disks.hpp"

namespace lkl::test {
namespace {

constexpr uint64_t disk_size = 16 << 20;

size_t count(const BlockLog& log, BlockOp op)
{
    const auto& records = log.records();
    return static_cast<size_t>(std::count_if(
        records.begin(), records.end(), [op](const BlockRecord& one) { return one.op == op; }));
}

// Writes that a loss of power at the end of the log may take back.
size_t volatile_writes(const BlockLog& log)
{
    uint64_t covered = 0;  // what completed before this position is on stable storage
    for (const BlockRecord& record : log.records()) {
        if (record.op == BlockOp::flush && record.completed != BlockRecord::never &&
            record.result == 0)
            covered = std::max(covered, record.submitted);
    }
    const auto& records = log.records();
    return static_cast<size_t>(
        std::count_if(records.begin(), records.end(), [covered](const BlockRecord& one) {
            return one.op != BlockOp::flush && !one.durable && one.completed >= covered;
        }));
}

class LastFlush : public testing::Test {
protected:
    // A disk of the kernel; its flushes fail when a test says so.
    DiskId add(bool read_only = false)
    {
        auto failing = std::make_unique<InjectDisk>(
            image_.disk(read_only), [this](const BlockRequest& request) -> std::optional<int> {
                return request.op == BlockOp::flush && flushes_fail ? std::optional(-EIO)
                                                                    : std::nullopt;
            });
        return must(kernel.add_disk(must(make_recording_disk(std::move(failing), log))));
    }
    void make(const std::string& command)
    {
        std::string output;
        ASSERT_EQ(run_command(command + ' ' + image_.path(), output), 0) << output;
    }
    // Until the kernel ends. Returns where.
    std::string mount(DiskId disk, const char* type, const char* words)
    {
        MountOptions options;
        options.type = type;
        options.add(words);
        auto mount = must(Mount::disk(kernel, disk, options));
        const std::string path = mount.path();
        mount.release();
        return path;
    }
    long write_file(const std::string& directory)
    {
        return Calls(kernel).write_file((directory + "/file").c_str(), std::string(65536, 'x'),
                                        LKL_O_WRONLY | LKL_O_CREAT);
    }
    // The disk's special file.
    long open_device(DiskId disk, int flags)
    {
        Calls calls(kernel);
        EXPECT_EQ(kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, "/disk", 060600, disk.device), 0);
        const long fd = calls.open("/disk", flags);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(calls.unlink("/disk"), 0);
        return fd;
    }
    // Comes to the disk, and is not flushed.
    void write_device(DiskId disk)
    {
        Calls calls(kernel);
        const std::vector<char> data(65536, 'x');
        const long fd = open_device(disk, LKL_O_RDWR);
        EXPECT_EQ(calls.pwrite(fd, data.data(), data.size(), 0), static_cast<long>(data.size()));
        EXPECT_EQ(calls.close(fd), 0);  // the last one writes the cache back
        EXPECT_GT(volatile_writes(log), 0u);
        EXPECT_EQ(count(log, BlockOp::flush), 0u);
    }

    const Watchdog watchdog{60s, "the last flush"};
    BlockLog log;
    std::atomic<bool> flushes_fail{false};

private:
    DiskImage image_{disk_size};

protected:
    Kernel kernel = boot();  // ends before what its disks are made of
};

struct Case {
    const char* name;
    const char* type;
    const char* make;
};

class LastFlushOf : public LastFlush, public testing::WithParamInterface<Case> {};

// sync(2) of these leaves data behind their last flush.
INSTANTIATE_TEST_SUITE_P(All, LastFlushOf,
                         testing::Values(Case{"vfat", "vfat", "mkfs.vfat"},
                                         Case{"ext4_without_a_journal", "ext4",
                                              "mkfs.ext4 -q -F -O ^has_journal"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(LastFlushOf, IsThereAfterAHalt)
{
    make(GetParam().make);
    EXPECT_EQ(write_file(mount(add(), GetParam().type, "")), 0);
    const auto halted = kernel.halt();
    EXPECT_TRUE(halted) << halted.error().what;
    EXPECT_GT(count(log, BlockOp::write), 0u);
    EXPECT_EQ(volatile_writes(log), 0u);
}

TEST_F(LastFlush, IsThereWhenTheDiskHasBeenRemoved)
{
    const DiskId disk = add();
    write_device(disk);
    const auto removed = kernel.remove_disk(disk);
    EXPECT_TRUE(removed) << removed.error().what;
    EXPECT_EQ(volatile_writes(log), 0u);
    EXPECT_EQ(count(log, BlockOp::flush), 1u);
}

TEST_F(LastFlush, ThatFailsIsAnErrorOfTheRemoval)
{
    const DiskId disk = add();
    write_device(disk);
    flushes_fail = true;
    const auto removed = kernel.remove_disk(disk);
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code, EIO);
    const auto again = kernel.remove_disk(disk);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ENODEV) << "it was removed all the same";
    EXPECT_TRUE(kernel.halt());
}

TEST_F(LastFlush, ThatFailsIsAnErrorOfTheHalt)
{
    write_device(add());
    flushes_fail = true;
    const auto halted = kernel.halt();
    ASSERT_FALSE(halted);
    EXPECT_EQ(halted.error().code, EIO);
    EXPECT_NE(halted.error().what.find("disk 0"), std::string::npos) << halted.error().what;
    EXPECT_FALSE(kernel.running()) << "it is halted all the same";
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_ESHUTDOWN);
}

TEST_F(LastFlush, IsThereAfterAPanic)
{
    write_device(add());
    // Of another disk: the file system that ends the kernel flushes its own.
    const DiskImage trap(disk_size);
    std::string output;
    ASSERT_EQ(run_command("mkfs.ext4 -q -F " + trap.path(), output), 0) << output;
    std::atomic<bool> reads_fail{false};
    const DiskId disk = must(kernel.add_disk(
        std::make_unique<InjectDisk>(trap.disk(false), [&reads_fail](const BlockRequest& request) {
            return request.op == BlockOp::read && reads_fail ? std::optional(-EIO) : std::nullopt;
        })));
    const std::string unread = mount(disk, "ext4", "errors=panic") + "/lost+found/none";
    EXPECT_GT(volatile_writes(log), 0u);
    reads_fail = true;
    EXPECT_EQ(Calls(kernel).open(unread.c_str(), LKL_O_RDONLY), -LKL_EIO);
    EXPECT_NE(kernel.panic_message(), "");
    const auto halted = kernel.halt();
    ASSERT_FALSE(halted);
    EXPECT_EQ(halted.error().code, EIO);
    EXPECT_NE(halted.error().what.find("panicked"), std::string::npos) << halted.error().what;
    EXPECT_EQ(volatile_writes(log), 0u);
}

// The end of a program takes no longer for a disk that it has only read.
TEST_F(LastFlush, IsNoneWhereNothingWasWritten)
{
    Calls calls(kernel);
    const DiskId disk = add();
    std::array<char, 512> data;
    const long fd = open_device(disk, LKL_O_RDONLY);
    EXPECT_EQ(calls.read(fd, data.data(), data.size()), static_cast<long>(data.size()));
    EXPECT_EQ(calls.close(fd), 0);
    EXPECT_TRUE(kernel.remove_disk(disk));
    (void)add();
    EXPECT_TRUE(kernel.halt());
    EXPECT_EQ(count(log, BlockOp::flush), 0u);
}

TEST_F(LastFlush, IsTheKernelsOwnWhereNothingWasWrittenSince)
{
    Calls calls(kernel);
    const DiskId disk = add();
    write_device(disk);
    const long fd = open_device(disk, LKL_O_RDONLY);
    EXPECT_EQ(calls.fsync(fd), 0);
    EXPECT_EQ(calls.close(fd), 0);
    const size_t flushes = count(log, BlockOp::flush);
    EXPECT_EQ(volatile_writes(log), 0u);
    EXPECT_TRUE(kernel.remove_disk(disk));
    EXPECT_EQ(count(log, BlockOp::flush), flushes);
}

// The kernel sends no flush to a disk whose cache is off, for what came before either.
TEST_F(LastFlush, IsThereWhenTheCacheIsTurnedOff)
{
    Calls calls(kernel);
    const DiskId disk = add();
    write_device(disk);
    calls.mount_at("sysfs", "/sys");
    ASSERT_EQ(calls.write_file("/sys/block/vda/cache_type", "write through"), 0);
    EXPECT_EQ(calls.read_file("/sys/block/vda/cache_type"), "write through\n");
    EXPECT_EQ(volatile_writes(log), 0u);

    const size_t flushes = count(log, BlockOp::flush);
    const long fd = open_device(disk, LKL_O_RDWR);
    EXPECT_EQ(calls.pwrite(fd, "after", 5, 0), 5);
    EXPECT_EQ(calls.fsync(fd), 0);
    EXPECT_EQ(calls.close(fd), 0);
    EXPECT_EQ(count(log, BlockOp::flush), flushes);
    EXPECT_EQ(volatile_writes(log), 0u) << "a write that is not durable by itself";
}

// The kernel is not told that what was written is safe.
TEST_F(LastFlush, ThatFailsLeavesTheCacheOn)
{
    Calls calls(kernel);
    const DiskId disk = add();
    write_device(disk);
    calls.mount_at("sysfs", "/sys");
    flushes_fail = true;
    ASSERT_EQ(calls.write_file("/sys/block/vda/cache_type", "write through"), 0);
    EXPECT_EQ(calls.read_file("/sys/block/vda/cache_type"), "write back\n");
    const long fd = open_device(disk, LKL_O_RDONLY);
    EXPECT_EQ(calls.fsync(fd), -LKL_EIO);
    EXPECT_EQ(calls.close(fd), 0);
}

}  // namespace
}  // namespace lkl::test
