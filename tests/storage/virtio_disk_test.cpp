// SPDX-License-Identifier: GPL-2.0-only
// What Linux makes of a disk of virtio-blk: what the back end tells of itself is what /sys
// shows, and what programs ask of a block device arrives as the request that is meant.
#include <atomic>
#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <lkl/linux/falloc.h>
#include <lkl/linux/fs.h>

#include "storage/common/storage.hpp"

namespace lkl::test {
namespace {

// A disk in memory that tells more of itself, and counts what it is asked for.
class ToldDisk final : public BlockBackend {
public:
    struct Counts {
        std::atomic<int> flushes{0}, discards{0}, zeroes{0}, unmapping_zeroes{0};
    };

    ToldDisk(std::unique_ptr<BlockBackend> memory, BlockInfo info, Counts& counts)
        : memory_(std::move(memory)), info_(std::move(info)), counts_(counts)
    {
    }
    BlockInfo info() const override { return info_; }
    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        for (const BlockRequest* request : requests) {
            counts_.flushes += request->op == BlockOp::flush;
            counts_.discards += request->op == BlockOp::discard;
            counts_.zeroes += request->op == BlockOp::write_zeroes;
            counts_.unmapping_zeroes += request->op == BlockOp::write_zeroes && request->unmap;
        }
        memory_->submit(requests);
    }
    int poll_fd() const noexcept override { return memory_->poll_fd(); }
    size_t reap() noexcept override { return memory_->reap(); }

private:
    const std::unique_ptr<BlockBackend> memory_;
    const BlockInfo info_;
    Counts& counts_;
};

class VirtioDisk : public Storage {
protected:
    static constexpr uint64_t size = 16 * MiB;

    void add(const BlockInfo& info)
    {
        auto memory = make_memory_disk(size);
        ASSERT_TRUE(memory) << memory.error().what;
        const auto disk =
            kernel.add_disk(std::make_unique<ToldDisk>(*std::move(memory), info, counts));
        ASSERT_TRUE(disk) << disk.error().what;
        ASSERT_TRUE(becomes([&] { return calls.read_file("/sys/block/vda/size") != ""; }));
    }
    std::string told(const std::string& name)
    {
        std::string text = calls.read_file(("/sys/block/vda/" + name).c_str());
        if (text.ends_with('\n'))
            text.pop_back();
        return text;
    }
    // What is expected of files below /sys/block/vda.
    void tells(const std::map<std::string, std::string>& expected)
    {
        for (const auto& [name, text] : expected)
            EXPECT_EQ(told(name), text) << name;
    }
    static BlockInfo described()
    {
        BlockInfo info;
        info.capacity = size;
        info.logical_block_size = 512;
        info.physical_block_size = 4096;
        info.minimum_io_size = 8192;
        info.optimal_io_size = 65536;
        info.discard_granularity = 8192;
        info.discard = true;
        info.write_zeroes = true;
        info.serial = "SERIAL-0123456789abc";
        return info;
    }

    ToldDisk::Counts counts;
};

TEST_F(VirtioDisk, IsAsItTells)
{
    const BlockInfo info = described();
    ASSERT_EQ(info.serial.size(), 20u);
    ASSERT_NO_FATAL_FAILURE(add(info));
    tells({{"serial", info.serial},
           {"size", std::to_string(size / sector_size)},
           {"ro", "0"},
           {"queue/logical_block_size", "512"},
           {"queue/physical_block_size", "4096"},
           {"queue/minimum_io_size", "8192"},
           {"queue/optimal_io_size", "65536"},
           {"queue/discard_granularity", "8192"},
           {"queue/write_cache", "write back"}});
    EXPECT_NE(told("queue/discard_max_bytes"), "0");
    EXPECT_NE(told("queue/write_zeroes_max_bytes"), "0");
    EXPECT_GE(std::stoi(told("queue/max_segments")), 128);
}

TEST_F(VirtioDisk, OfFewerWordsIsPlain)
{
    BlockInfo info;
    info.capacity = size;
    info.logical_block_size = 4096;
    info.read_only = true;
    info.flush = false;
    ASSERT_NO_FATAL_FAILURE(add(info));
    tells({{"serial", ""},
           {"ro", "1"},
           {"queue/logical_block_size", "4096"},
           {"queue/physical_block_size", "4096"},
           {"queue/discard_max_bytes", "0"},
           {"queue/write_zeroes_max_bytes", "0"},
           {"queue/write_cache", "write through"}});
    const long fd = calls.open("/dev/vda", LKL_O_RDWR);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(calls.write(fd, "x", 1), -LKL_EPERM);
    EXPECT_EQ(calls.close(fd), 0);
}

TEST_F(VirtioDisk, IsAskedForWhatIsMeant)
{
    ASSERT_NO_FATAL_FAILURE(add(described()));
    const long fd = calls.open("/dev/vda", LKL_O_RDWR);
    ASSERT_GE(fd, 0);
    const std::string data(64 * KiB, 'x');
    ASSERT_EQ(calls.write(fd, data.data(), data.size()), static_cast<long>(data.size()));
    ASSERT_EQ(kernel.syscall(__lkl__NR_fsync, fd), 0);
    EXPECT_GT(counts.flushes, 0);

    uint64_t range[2] = {0, 16 * KiB};
    ASSERT_EQ(kernel.syscall(__lkl__NR_ioctl, fd, LKL_BLKZEROOUT, range), 0);
    EXPECT_EQ(counts.zeroes, 1);
    EXPECT_EQ(counts.unmapping_zeroes, 0);
    EXPECT_EQ(counts.discards, 0);
    ASSERT_EQ(
        kernel.syscall(__lkl__NR_fallocate, fd, LKL_FALLOC_FL_PUNCH_HOLE | LKL_FALLOC_FL_KEEP_SIZE,
                       16 * KiB, 16 * KiB),
        0);
    EXPECT_EQ(counts.zeroes, 2);
    EXPECT_EQ(counts.unmapping_zeroes, 1);
    range[0] = 32 * KiB;
    ASSERT_EQ(kernel.syscall(__lkl__NR_ioctl, fd, LKL_BLKDISCARD, range), 0);
    EXPECT_EQ(counts.discards, 1);

    std::string back(data.size(), '-');
    ASSERT_EQ(kernel.syscall(__lkl__NR_pread64, fd, back.data(), back.size(), 0),
              static_cast<long>(back.size()));
    EXPECT_EQ(back.substr(0, 32 * KiB), std::string(32 * KiB, '\0'));
    EXPECT_EQ(back.substr(48 * KiB), std::string(16 * KiB, 'x'));
    EXPECT_EQ(calls.close(fd), 0);
}

}  // namespace
}  // namespace lkl::test
