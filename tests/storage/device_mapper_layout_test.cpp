// SPDX-License-Identifier: GPL-2.0-only
// Device mapper: its devices and tables, and the targets that only say where data is.
// ctest: TIMEOUT=120
#include <algorithm>

#include <gtest/gtest.h>

#include <lkl/linux/fs.h>

#include "storage/common/device_mapper.hpp"
#include "storage/common/storage.hpp"

namespace lkl::test {
namespace {

class DeviceMapperLayout : public Storage {};

TEST_F(DeviceMapperLayout, TheKernelHasItsTargets)
{
    const std::vector<std::string> types = target_types(kernel);
    for (const char* name :
         {"linear", "striped",   "error",           "zero",           "unstriped",
          "crypt",  "snapshot",  "snapshot-origin", "snapshot-merge", "thin-pool",
          "thin",   "cache",     "writecache",      "clone",          "era",
          "ebs",    "integrity", "verity",          "raid",           "mirror",
          "vdo"})
        EXPECT_EQ(std::ranges::count(types, name), 1) << name;
}

TEST_F(DeviceMapperLayout, LinearPutsPartsBehindEachOther)
{
    Disk& first = add_disk(8 * MiB);
    Disk& second = add_disk(8 * MiB);
    MappedDevice device(kernel, "joined",
                        {{0, 4096, "linear", first.path() + " 100"},
                         {4096, 1000, "linear", second.path() + " 16"},
                         {5096, 2000, "linear", first.path() + " 10000"}});
    const Bytes data = pattern(7096 * sector_size, 1);
    write(device.path(), 0, data);
    const std::span<const std::byte> all = data;
    EXPECT_EQ(same(first.bytes(100 * sector_size, 4096 * sector_size), all), 4096 * sector_size);
    EXPECT_EQ(
        same(second.bytes(16 * sector_size, 1000 * sector_size), all.subspan(4096 * sector_size)),
        1000 * sector_size);
    EXPECT_EQ(
        same(first.bytes(10000 * sector_size, 2000 * sector_size), all.subspan(5096 * sector_size)),
        2000 * sector_size);
    // Nothing anywhere else.
    const auto zeroes = [](std::span<std::byte> part) {
        return std::ranges::count(part, std::byte{0}) == static_cast<long>(part.size());
    };
    EXPECT_TRUE(zeroes(first.bytes(0, 100 * sector_size)));
    EXPECT_TRUE(zeroes(first.bytes(4196 * sector_size, (10000 - 4196) * sector_size)));
    EXPECT_TRUE(zeroes(second.bytes(0, 16 * sector_size)));
    EXPECT_TRUE(zeroes(second.bytes(1016 * sector_size, 8 * MiB - 1016 * sector_size)));

    // What changes below is seen above.
    first.bytes(100 * sector_size, 1)[0] ^= std::byte{1};
    const Bytes again = read(device.path(), 0, data.size());
    EXPECT_EQ(again[0], data[0] ^ std::byte{1});
    EXPECT_EQ(same(std::span(again).subspan(1), all.subspan(1)), data.size() - 1);
    Bytes beyond(sector_size);
    EXPECT_EQ(try_read(device.path(), data.size(), beyond), -LKL_EIO) << "longer than its table";
}

TEST_F(DeviceMapperLayout, StripesGoRound)
{
    constexpr uint64_t chunk = 16;  // sectors
    std::vector<Disk*> disks;
    std::string table = "3 " + std::to_string(chunk);
    for (int i = 0; i < 3; ++i) {
        disks.push_back(&add_disk(4 * MiB));
        table += " " + disks.back()->path() + " " + std::to_string(i * 8);
    }
    constexpr uint64_t rows = 100;
    MappedDevice device(kernel, "stripes", 3 * chunk * rows, "striped", table);
    const Bytes data = pattern(3 * chunk * rows * sector_size, 2);
    write(device.path(), 0, data);
    for (uint64_t i = 0; i < 3 * rows; ++i) {
        const uint64_t place = ((i % 3) * 8 + i / 3 * chunk) * sector_size;
        ASSERT_EQ(same(disks[i % 3]->bytes(place, chunk * sector_size),
                       std::span(data).subspan(i * chunk * sector_size)),
                  chunk * sector_size)
            << "chunk " << i;
    }
    EXPECT_TRUE(read(device.path(), 0, data.size()) == data);

    // One stripe of them, by the target that undoes it.
    MappedDevice part(kernel, "part", chunk * rows, "unstriped",
                      "3 " + std::to_string(chunk) + " 1 " + device.path() + " 0");
    EXPECT_EQ(same(read(part.path(), 0, chunk * rows * sector_size),
                   disks[1]->bytes(8 * sector_size, chunk * rows * sector_size)),
              chunk * rows * sector_size);
}

TEST_F(DeviceMapperLayout, ZeroAndError)
{
    MappedDevice device(kernel, "nothing", {{0, 2048, "zero", ""}, {2048, 2048, "error", ""}});
    write(device.path(), 0, pattern(64 * KiB, 3));
    EXPECT_TRUE(read(device.path(), 0, 64 * KiB) == Bytes(64 * KiB));
    Bytes data(4096);
    EXPECT_EQ(try_read(device.path(), MiB, data), -LKL_EIO);
    EXPECT_EQ(try_write(device.path(), MiB, data), -LKL_EIO);
    EXPECT_EQ(try_read(device.path(), MiB - 4096, data), 0);
}

// A disk of blocks of 4096 bytes takes single sectors.
TEST_F(DeviceMapperLayout, EbsHasSmallerBlocksThanItsDisk)
{
    Disk& disk = add_disk(MiB, 4096);
    const Bytes old = pattern(MiB, 4);
    std::ranges::copy(old, disk.bytes().begin());
    MappedDevice device(kernel, "small", 2000, "ebs", disk.path() + " 8 1");
    const Bytes data = pattern(3 * sector_size, 5);

    PinnedMemory memory(kernel, 4096);
    std::ranges::copy(data, memory.bytes().begin());
    const long below = calls.open(disk.path().c_str(), LKL_O_RDWR | LKL_O_DIRECT);
    EXPECT_EQ(calls.pwrite(below, memory.bytes().data(), sector_size, 0), -LKL_EINVAL);
    EXPECT_EQ(calls.close(below), 0);
    const long fd = calls.open(device.path().c_str(), LKL_O_RDWR | LKL_O_DIRECT);
    ASSERT_EQ(calls.pwrite(fd, memory.bytes().data(), data.size(), 7 * sector_size),
              static_cast<long>(data.size()));
    EXPECT_EQ(calls.fsync(fd), 0);
    EXPECT_EQ(calls.close(fd), 0);

    Bytes expected = old;
    std::ranges::copy(data, expected.begin() + 15 * sector_size);
    EXPECT_EQ(same(disk.bytes(), expected), MiB);
}

TEST_F(DeviceMapperLayout, ATableIsReplacedWhileTheDeviceIsOpen)
{
    Disk& first = add_disk(MiB);
    Disk& second = add_disk(MiB);
    MappedDevice device(kernel, "moving", 1024, "linear", first.path() + " 0");
    const long fd = calls.open(device.path().c_str(), LKL_O_RDWR);
    ASSERT_GE(fd, 0);
    const Bytes one = pattern(4096, 6);
    const Bytes two = pattern(4096, 7);
    EXPECT_EQ(calls.pwrite(fd, one.data(), one.size(), 0), 4096);

    EXPECT_EQ(device.remove(), -LKL_EBUSY);
    EXPECT_EQ(device.load({{0, 1024, "linear", second.path() + " 0"}}), 0);
    EXPECT_EQ(device.load({{0, 1024, "linear", "/dev/none 0"}}), -LKL_ENOENT);
    EXPECT_EQ(device.load({{0, 1024, "nothing", ""}}), -LKL_EINVAL);
    EXPECT_EQ(device.load({{0, 1024, "linear", first.path()}}), -LKL_EINVAL);
    EXPECT_EQ(device.load({{0, 1024, "linear", second.path() + " 0"}}), 0);
    device.suspend();
    EXPECT_EQ(same(first.bytes(), one), one.size()) << "not written back by suspend";

    // A write to a suspended device waits.
    std::atomic<long> result{1};
    Crew crew;
    crew.add([&] {
        const Watchdog watchdog(60s, "a write to a device that was resumed");
        const long written = calls.pwrite(fd, two.data(), two.size(), 4096);
        result = written == 4096 ? calls.fsync(fd) : written;
    });
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(result, 1);
    device.resume();
    crew.join();
    EXPECT_EQ(result, 0);
    EXPECT_EQ(same(second.bytes(4096, 4096), two), two.size());
    EXPECT_EQ(std::ranges::count(first.bytes(4096, 4096), std::byte{0}), 4096);
    std::string number = calls.read_file("/sys/block/vdb/dev");
    number.pop_back();  // the end of the line
    EXPECT_EQ(device.table().at(0).parameters, number + " 0");
    EXPECT_EQ(calls.close(fd), 0);
    EXPECT_EQ(device.remove(), 0);
    EXPECT_EQ(calls.open(device.path().c_str(), LKL_O_RDONLY), -LKL_ENOENT);
}

TEST_F(DeviceMapperLayout, AnErrorBelowIsAnErrorAbove)
{
    Disk& disk = add_disk(MiB);
    MappedDevice device(kernel, "broken", 1024, "linear", disk.path() + " 0");
    const Bytes data = pattern(4096, 8);
    write(device.path(), 0, data);
    disk.set_broken(true);
    Bytes again(4096);
    EXPECT_EQ(try_read(device.path(), 0, again), -LKL_EIO);
    EXPECT_EQ(try_write(device.path(), 0, again), -LKL_EIO);
    disk.set_broken(false);
    EXPECT_TRUE(read(device.path(), 0, 4096) == data);
}

}  // namespace
}  // namespace lkl::test
