// SPDX-License-Identifier: GPL-2.0-only
// overlayfs on two tmpfs, and a file system on a compressed disk in memory (zram).
// ctest: TIMEOUT=60
#include <string>

#include <gtest/gtest.h>

#include "support/kernel.hpp"

namespace lkl::test {
namespace {

constexpr int create = LKL_O_WRONLY | LKL_O_CREAT;

TEST(Overlay, ShowsBothLayersAndWritesToTheUpper)
{
    Kernel kernel = boot();
    Calls calls(kernel);
    calls.mount_at("tmpfs", "/low");
    calls.mount_at("tmpfs", "/high");
    for (const char* directory : {"/high/upper", "/high/work", "/merged"})
        ASSERT_EQ(calls.mkdir(directory), 0);
    ASSERT_EQ(calls.write_file("/low/changed", "low", create), 0);
    ASSERT_EQ(calls.write_file("/low/removed", "low", create), 0);
    ASSERT_EQ(calls.write_file("/low/kept", "low", create), 0);
    ASSERT_EQ(calls.write_file("/high/upper/own", "high", create), 0);
    ASSERT_EQ(calls.mount("overlay", "/merged", "overlay", 0,
                          "lowerdir=/low,upperdir=/high/upper,workdir=/high/work"),
              0);
    EXPECT_EQ(calls.count_entries("/merged"), 4);
    EXPECT_EQ(calls.read_file("/merged/kept"), "low");
    EXPECT_EQ(calls.read_file("/merged/own"), "high");

    EXPECT_EQ(calls.write_file("/merged/changed", "new", LKL_O_WRONLY), 0);
    EXPECT_EQ(calls.unlink("/merged/removed"), 0);
    EXPECT_EQ(calls.read_file("/merged/changed"), "new");
    EXPECT_EQ(calls.read_file("/low/changed"), "low");
    EXPECT_EQ(calls.read_file("/high/upper/changed"), "new");
    EXPECT_EQ(calls.read_file("/low/removed"), "low");
    EXPECT_EQ(calls.open("/merged/removed", LKL_O_RDONLY), -LKL_ENOENT);
    EXPECT_EQ(calls.count_entries("/merged"), 3);
    // What was removed is there still, as a mark of it.
    EXPECT_EQ(calls.count_entries("/high/upper"), 3);
    EXPECT_EQ(calls.umount("/merged"), 0);
}

TEST(Zram, CompressesWhatIsWritten)
{
    Kernel kernel = boot();
    Calls calls(kernel);
    calls.mount_at("sysfs", "/sys");
    calls.mount_at("devtmpfs", "/dev");
    // Reading it makes a disk, and says its number.
    ASSERT_EQ(calls.read_file("/sys/class/zram-control/hot_add"), "0\n");
    ASSERT_EQ(calls.write_file("/sys/block/zram0/comp_algorithm", "zstd"), 0);
    ASSERT_EQ(calls.write_file("/sys/block/zram0/disksize", "64M"), 0);
    const long disk = calls.open("/dev/zram0", LKL_O_RDWR);
    ASSERT_GE(disk, 0);
    std::string text;
    while (text.size() < (4 << 20))
        text += "line " + std::to_string(text.size()) + "\n";
    text.resize(4 << 20);
    ASSERT_EQ(calls.pwrite(disk, text.data(), text.size(), 8 << 20),
              static_cast<long>(text.size()));
    ASSERT_EQ(calls.fsync(disk), 0);
    calls.mount_at("proc", "/proc");
    EXPECT_EQ(calls.write_file("/proc/sys/vm/drop_caches", "3"), 0);
    std::string again(text.size(), '\0');
    ASSERT_EQ(calls.pread(disk, again.data(), again.size(), 8 << 20),
              static_cast<long>(again.size()));
    EXPECT_TRUE(again == text);
    const std::string use = calls.read_file("/sys/block/zram0/mm_stat");
    char* rest = nullptr;
    const long original = std::strtol(use.c_str(), &rest, 10);
    const long compressed = std::strtol(rest, nullptr, 10);
    EXPECT_EQ(original, static_cast<long>(text.size())) << use;
    EXPECT_TRUE(compressed > 0 && compressed < original / 2) << use;
    EXPECT_EQ(calls.close(disk), 0);
    EXPECT_EQ(calls.write_file("/sys/block/zram0/reset", "1"), 0);
}

}  // namespace
}  // namespace lkl::test
