// SPDX-License-Identifier: GPL-2.0-only
// MD: arrays of disks, made by the ioctls of /dev/md0, that lose disks and get others.
// ctest: TIMEOUT=120
#include <algorithm>
#include <cstdio>
#include <tuple>

#include <gtest/gtest.h>

#include <lkl/linux/ioctl.h>
#include <lkl/linux/major.h>
#include <lkl/linux/raid/md_p.h>
#include <lkl/linux/raid/md_u.h>
#include <lkl/linux/stat.h>

#include "storage/common/storage.hpp"

namespace lkl::test {
namespace {

struct Level {
    const char* name;
    int level, layout;
    int disks;
    int losses;  // that it outlives
    int data;    // disks' worth of data
};

class Md : public Storage, public testing::WithParamInterface<Level> {
protected:
    static constexpr uint64_t part = 4 * MiB;  // of each disk

    void SetUp() override
    {
        ASSERT_EQ(kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, "/array", LKL_S_IFBLK | 0600,
                                 LKL_MD_MAJOR << 8),
                  0);
        array_ = calls.open("/array", LKL_O_RDWR);
        ASSERT_GE(array_, 0);
        for (int i = 0; i < GetParam().disks; ++i)
            disks.push_back(&add_disk(part + MiB));  // the superblock is at the end
    }
    void TearDown() override
    {
        EXPECT_EQ(ioctl(array_, LKL_STOP_ARRAY), 0);
        EXPECT_EQ(calls.close(array_), 0);
        Storage::TearDown();
    }

    std::pair<int, int> number(const Disk& disk)
    {
        int major = 0, minor = 0;
        const std::string text =
            calls.read_file(("/sys/block" + disk.path().substr(4) + "/dev").c_str());
        EXPECT_EQ(std::sscanf(text.c_str(), "%d:%d", &major, &minor), 2) << text;
        return {major, minor};
    }
    long device(const Disk& disk)
    {
        const auto [major, minor] = number(disk);
        return major << 8 | minor;
    }
    // Zeroed disks are right for each level, so that nothing has to be made so first.
    void create()
    {
        const Level& level = GetParam();
        lkl_mdu_array_info_t info{};
        info.level = level.level;
        info.layout = level.layout;
        info.size = static_cast<int>(part / KiB);
        info.nr_disks = info.raid_disks = level.disks;
        info.state = 1 << LKL_MD_SB_CLEAN;
        info.chunk_size = level.level == 1 ? 0 : 64 * KiB;
        ASSERT_EQ(ioctl(array_, LKL_SET_ARRAY_INFO, &info), 0);
        for (int i = 0; i < level.disks; ++i) {
            lkl_mdu_disk_info_t disk{};
            disk.number = disk.raid_disk = i;
            std::tie(disk.major, disk.minor) = number(*disks[static_cast<size_t>(i)]);
            disk.state = 1 << LKL_MD_DISK_ACTIVE | 1 << LKL_MD_DISK_SYNC;
            ASSERT_EQ(ioctl(array_, LKL_ADD_NEW_DISK, &disk), 0) << i;
        }
        ASSERT_EQ(ioctl(array_, LKL_RUN_ARRAY), 0);
    }
    std::string setting(const std::string& name)
    {
        return calls.read_file(("/sys/block/md0/md/" + name).c_str());
    }

    std::vector<Disk*> disks;
    long array_ = -1;
};

INSTANTIATE_TEST_SUITE_P(Levels, Md,
                         testing::Values(Level{"raid0", 0, 0, 3, 0, 3},
                                         Level{"raid1", 1, 0, 2, 1, 1},
                                         Level{"raid10", 10, 0x102, 4, 1, 2},
                                         Level{"raid5", 5, 2, 4, 1, 3},
                                         Level{"raid6", 6, 2, 5, 2, 3}),
                         [](const auto& info) { return info.param.name; });

TEST_P(Md, DataOutlivesDisks)
{
    create();
    const Level& level = GetParam();
    const auto losses = static_cast<size_t>(level.losses);
    const size_t size = part * static_cast<size_t>(level.data);
    const std::string path = "/dev/md0";
    const Bytes data = pattern(size, 1);
    write(path, 0, data);
    EXPECT_EQ(same(read(path, 0, size), data), size);
    if (losses == 0) {
        // Chunks go round.
        for (size_t i = 0; i < 30; ++i)
            EXPECT_EQ(same(disks[i % 3]->bytes(i / 3 * 64 * KiB, 64 * KiB),
                           std::span(data).subspan(i * 64 * KiB)),
                      64 * KiB)
                << i;
        return;
    }

    for (size_t i = 0; i < losses; ++i)
        disks[i]->set_broken(true);
    EXPECT_EQ(same(read(path, 0, size), data), size) << "from disks that break";
    const Bytes later = pattern(size, 2);
    write(path, 0, later);
    EXPECT_TRUE(becomes([&] { return setting("degraded") == std::to_string(losses) + "\n"; }))
        << setting("degraded");
    EXPECT_EQ(same(read(path, 0, size), later), size);

    // Empty disks take their places.
    for (size_t i = 0; i < losses; ++i) {
        ASSERT_TRUE(
            becomes([&] { return ioctl(array_, LKL_HOT_REMOVE_DISK, device(*disks[i])) == 0; }));
        std::ranges::fill(disks[i]->bytes(), std::byte{0});
        disks[i]->set_broken(false);
        ASSERT_EQ(ioctl(array_, LKL_HOT_ADD_DISK, device(*disks[i])), 0);
    }
    ASSERT_TRUE(becomes([&] {
        return setting("degraded") == "0\n" && setting("sync_action") == "idle\n";
    })) << setting("degraded")
        << setting("sync_action");

    // Others go: the data is made of what was rebuilt.
    for (size_t i = 0; i < losses; ++i) {
        Disk& other = *disks[disks.size() - 1 - i];
        EXPECT_EQ(ioctl(array_, LKL_SET_DISK_FAULTY, device(other)), 0);
        other.set_broken(true);
    }
    EXPECT_EQ(same(read(path, 0, size), later), size);
}

}  // namespace
}  // namespace lkl::test
