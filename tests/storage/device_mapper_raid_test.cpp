// SPDX-License-Identifier: GPL-2.0-only
// Device mapper: data that outlives a disk, by the targets raid and mirror.
// ctest: TIMEOUT=120
#include <algorithm>
#include <memory>
#include <sstream>

#include <gtest/gtest.h>

#include "storage/common/device_mapper.hpp"
#include "storage/common/storage.hpp"

namespace lkl::test {
namespace {

struct Level {
    const char* name;
    int disks;
    int losses;  // that it outlives
    int data;    // disks' worth of data
};

class DeviceMapperRaid : public Storage, public testing::WithParamInterface<Level> {
protected:
    static constexpr uint64_t part = 8192;  // sectors of each disk

    using Device = std::unique_ptr<MappedDevice>;

    // `gone`: disks that are not there; `rebuild`: one whose data is not right yet, or -1.
    Device assemble(const std::vector<bool>& gone, int rebuild = -1)
    {
        const Level& level = GetParam();
        std::string table =
            std::string(level.name) +
            (rebuild < 0 ? " 1 64 " : " 3 64 rebuild " + std::to_string(rebuild) + " ");
        table += std::to_string(level.disks);
        for (int i = 0; i < level.disks; ++i)
            table += gone[static_cast<size_t>(i)] ? " - -"
                                                  : " " + metadata[static_cast<size_t>(i)]->path() +
                                                        " " + disks[static_cast<size_t>(i)]->path();
        return std::make_unique<MappedDevice>(
            kernel, "array", part * static_cast<uint64_t>(level.data), "raid", table);
    }
    // A letter for each disk: A is right, a is not yet, D is dead.
    static std::string health(const Device& device)
    {
        std::istringstream text(device->status().at(0).parameters);
        std::string type, count, letters;
        text >> type >> count >> letters;
        return letters;
    }
    static bool in_sync(const Device& device, int alive)
    {
        return std::ranges::count(health(device), 'A') == alive &&
               device->status().at(0).parameters.find(" idle ") != std::string::npos;
    }

    void SetUp() override
    {
        for (int i = 0; i < GetParam().disks; ++i) {
            metadata.push_back(&add_disk(MiB));
            disks.push_back(&add_disk(part * sector_size));
        }
    }

    std::vector<Disk*> metadata, disks;
};

INSTANTIATE_TEST_SUITE_P(Levels, DeviceMapperRaid,
                         testing::Values(Level{"raid1", 2, 1, 1}, Level{"raid4", 3, 1, 2},
                                         Level{"raid5_ls", 4, 1, 3}, Level{"raid6_nr", 5, 2, 3},
                                         Level{"raid10", 4, 1, 2}),
                         [](const auto& info) { return info.param.name; });

TEST_P(DeviceMapperRaid, DataOutlivesDisks)
{
    const Level& level = GetParam();
    const auto all = static_cast<size_t>(level.disks);
    const size_t size = part * sector_size * static_cast<size_t>(level.data);
    std::vector<bool> gone(all);
    Device device = assemble(gone);
    ASSERT_TRUE(becomes([&] { return in_sync(device, level.disks); }))
        << device->status().at(0).parameters;
    const Bytes data = pattern(size, 1);
    write(device->path(), 0, data);

    // Disks break while the array is in use, and are found to be dead by what is written.
    for (int i = 0; i < level.losses; ++i) {
        disks[static_cast<size_t>(i)]->set_broken(true);
        metadata[static_cast<size_t>(i)]->set_broken(true);
    }
    EXPECT_EQ(same(read(device->path(), 0, size), data), size);
    const Bytes later = pattern(size, 2);
    write(device->path(), 0, later);
    EXPECT_TRUE(becomes([&] { return std::ranges::count(health(device), 'D') == level.losses; }))
        << health(device);
    EXPECT_EQ(same(read(device->path(), 0, size), later), size);
    device.reset();

    // Without them it is assembled again.
    for (int i = 0; i < level.losses; ++i)
        gone[static_cast<size_t>(i)] = true;
    device = assemble(gone);
    EXPECT_EQ(same(read(device->path(), 0, size), later), size);
    device.reset();

    // Empty disks take their places, one after the other.
    for (int i = 0; i < level.losses; ++i) {
        const auto index = static_cast<size_t>(i);
        for (Disk* disk : {disks[index], metadata[index]}) {
            std::ranges::fill(disk->bytes(), std::byte{0});
            disk->set_broken(false);
        }
        gone[index] = false;
        device = assemble(gone, i);
        const int alive = static_cast<int>(std::ranges::count(gone, false));
        ASSERT_TRUE(becomes([&] { return in_sync(device, alive); }))
            << device->status().at(0).parameters;
        device.reset();
    }
    // Now others may break: the data is read from those that were rebuilt.
    for (int i = 0; i < level.losses; ++i)
        gone[all - 1 - static_cast<size_t>(i)] = true;
    device = assemble(gone);
    EXPECT_EQ(same(read(device->path(), 0, size), later), size);
}

TEST_P(DeviceMapperRaid, TooFewDisksAreRefused)
{
    const Level& level = GetParam();
    std::vector<bool> gone(static_cast<size_t>(level.disks));
    for (int i = 0; i <= level.losses; ++i)
        gone[static_cast<size_t>(i)] = true;
    EXPECT_THROW(assemble(gone), std::runtime_error);
}

class DeviceMapperMirror : public Storage {};

TEST_F(DeviceMapperMirror, BothHaveTheDataAndEitherGivesIt)
{
    Disk& first = add_disk(4 * MiB);
    Disk& second = add_disk(4 * MiB);
    const Bytes old = pattern(4 * MiB, 3);
    std::ranges::copy(old, first.bytes().begin());
    MappedDevice device(
        kernel, "mirror", 8192, "mirror",
        "core 1 1024 2 " + first.path() + " 0 " + second.path() + " 0 1 handle_errors");
    EXPECT_TRUE(becomes([&] {
        return device.status().at(0).parameters.find(" 8/8 ") != std::string::npos;
    })) << device.status().at(0).parameters;
    EXPECT_EQ(same(second.bytes(), old), old.size()) << "not copied";

    const Bytes data = pattern(MiB, 4);
    write(device.path(), MiB, data);
    EXPECT_EQ(same(first.bytes(MiB, MiB), data), MiB);
    EXPECT_EQ(same(second.bytes(MiB, MiB), data), MiB);
    first.set_broken(true);
    EXPECT_TRUE(read(device.path(), MiB, MiB) == data);
    first.set_broken(false);
}

}  // namespace
}  // namespace lkl::test
