// SPDX-License-Identifier: GPL-2.0-only
// Device mapper: targets that keep data twice, elsewhere or only once it is written:
// snapshots, thin volumes, caches, clones; and a file system on a stack of devices.
// ctest: TIMEOUT=120
#include <algorithm>
#include <memory>
#include <sstream>

#include <gtest/gtest.h>

#include "storage/common/device_mapper.hpp"
#include "storage/common/storage.hpp"
#include "unit/temp_file.hpp"

namespace lkl::test {
namespace {

class DeviceMapperCopies : public Storage {
protected:
    using Device = std::unique_ptr<MappedDevice>;

    Device map(const std::string& name, uint64_t length, const std::string& type,
               const std::string& parameters)
    {
        return std::make_unique<MappedDevice>(kernel, name, length, type, parameters);
    }
    // The n-th word of a status.
    static std::string word(const Device& device, unsigned number)
    {
        std::istringstream text(device->status().at(0).parameters);
        std::string result;
        for (unsigned i = 0; i <= number; ++i)
            text >> result;
        return result;
    }
};

TEST_F(DeviceMapperCopies, ASnapshotStaysAsItsOriginWas)
{
    Disk& origin_disk = add_disk(4 * MiB);
    Disk& changes = add_disk(4 * MiB);
    const Bytes old = pattern(4 * MiB, 1);
    std::ranges::copy(old, origin_disk.bytes().begin());
    const std::string table = origin_disk.path() + " " + changes.path() + " P 8";
    Device origin = map("origin", 8192, "snapshot-origin", origin_disk.path());
    Device snapshot = map("snapshot", 8192, "snapshot", table);

    const Bytes later = pattern(MiB, 2);
    write(origin->path(), MiB, later);
    EXPECT_EQ(same(read(snapshot->path(), 0, old.size()), old), old.size());
    EXPECT_EQ(same(origin_disk.bytes(MiB, MiB), later), MiB);
    EXPECT_TRUE(read(origin->path(), MiB, MiB) == later);

    // What is written to the snapshot is its own.
    const Bytes own = pattern(64 * KiB, 3);
    write(snapshot->path(), 3 * MiB, own);
    EXPECT_EQ(same(origin_disk.bytes(3 * MiB, MiB), std::span(old).subspan(3 * MiB)), MiB);
    Bytes expected = old;
    std::ranges::copy(own, expected.begin() + 3 * MiB);
    snapshot.reset();
    origin.reset();
    snapshot = map("snapshot", 8192, "snapshot", table);
    EXPECT_EQ(same(read(snapshot->path(), 0, expected.size()), expected), expected.size());
    snapshot.reset();

    // Merged, the origin is what the snapshot was.
    Device merge = map("merge", 8192, "snapshot-merge", table);
    EXPECT_TRUE(becomes([&] {
        const std::string used = word(merge, 0);  // changes/room, then the room for tables
        return used.substr(0, used.find('/')) == word(merge, 1);
    })) << word(merge, 0);
    merge.reset();
    EXPECT_EQ(same(origin_disk.bytes(), expected), expected.size());
}

TEST_F(DeviceMapperCopies, ASnapshotWithoutRoomIsInvalidAndItsOriginIsNot)
{
    Disk& origin_disk = add_disk(4 * MiB);
    Disk& changes = add_disk(128 * KiB);
    const Device origin = map("origin", 8192, "snapshot-origin", origin_disk.path());
    const Device snapshot =
        map("snapshot", 8192, "snapshot", origin_disk.path() + " " + changes.path() + " P 8");
    const Bytes data = pattern(2 * MiB, 4);
    write(origin->path(), 0, data);
    EXPECT_TRUE(read(origin->path(), 0, data.size()) == data);
    EXPECT_EQ(word(snapshot, 0), "Invalid");
    Bytes block(4096);
    EXPECT_EQ(try_read(snapshot->path(), 0, block), -LKL_EIO);
}

TEST_F(DeviceMapperCopies, ThinVolumesShareAPool)
{
    Disk& metadata = add_disk(4 * MiB);
    Disk& data_disk = add_disk(16 * MiB);
    const std::string pool_table = metadata.path() + " " + data_disk.path() + " 128 0";
    const auto make_pool = [&] {
        return map("pool", data_disk.sectors(), "thin-pool", pool_table);
    };
    constexpr uint64_t length = 1 << 20;  // half a GiB: far more than there is
    Device pool = make_pool();
    EXPECT_EQ(pool->message(0, "create_thin 0"), 0);
    EXPECT_EQ(pool->message(0, "create_thin 0"), -LKL_EEXIST);
    EXPECT_EQ(pool->message(0, "create_thin 1"), 0);
    Device first = map("first", length, "thin", pool->path() + " 0");
    Device second = map("second", length, "thin", pool->path() + " 1");
    EXPECT_TRUE(read(first->path(), 400 * MiB, MiB) == Bytes(MiB));
    const Bytes one = pattern(2 * MiB, 5);
    const Bytes two = pattern(2 * MiB, 6);
    write(first->path(), 300 * MiB, one);
    write(second->path(), 300 * MiB, two);
    EXPECT_EQ(word(pool, 2), "64/256") << "blocks of 64 KiB in use";

    first->suspend();
    EXPECT_EQ(pool->message(0, "create_snap 2 0"), 0);
    first->resume();
    Device snapshot = map("snapshot", length, "thin", pool->path() + " 2");
    EXPECT_EQ(word(pool, 2), "64/256") << "a snapshot shares everything";
    const Bytes later = pattern(MiB, 7);
    write(first->path(), 300 * MiB, later);
    EXPECT_EQ(word(pool, 2), "80/256");

    const auto check = [&] {
        EXPECT_EQ(same(read(snapshot->path(), 300 * MiB, one.size()), one), one.size());
        EXPECT_EQ(same(read(second->path(), 300 * MiB, two.size()), two), two.size());
        EXPECT_EQ(same(read(first->path(), 300 * MiB, MiB), later), MiB);
        EXPECT_EQ(same(read(first->path(), 301 * MiB, MiB), std::span(one).subspan(MiB)), MiB);
    };
    check();
    for (Device* device : {&first, &second, &snapshot, &pool})
        device->reset();
    pool = make_pool();
    first = map("first", length, "thin", pool->path() + " 0");
    second = map("second", length, "thin", pool->path() + " 1");
    snapshot = map("snapshot", length, "thin", pool->path() + " 2");
    check();

    second.reset();
    EXPECT_EQ(pool->message(0, "delete 1"), 0);
    EXPECT_EQ(pool->message(0, "delete 1"), -LKL_ENODATA);
    EXPECT_EQ(word(pool, 2), "48/256");
}

TEST_F(DeviceMapperCopies, AFullThinPoolIsAnError)
{
    Disk& metadata = add_disk(4 * MiB);
    Disk& data_disk = add_disk(MiB);
    const Device pool =
        map("pool", data_disk.sectors(), "thin-pool",
            metadata.path() + " " + data_disk.path() + " 128 0 1 error_if_no_space");
    EXPECT_EQ(pool->message(0, "create_thin 0"), 0);
    const Device thin = map("thin", 8192, "thin", pool->path() + " 0");
    const Bytes data = pattern(MiB, 8);
    write(thin->path(), 0, data);
    EXPECT_EQ(try_write(thin->path(), 2 * MiB, std::span(data).first(4096)), -LKL_EIO);
    EXPECT_TRUE(read(thin->path(), 0, MiB) == data);
}

TEST_F(DeviceMapperCopies, ACacheKeepsWhatIsOnlyInIt)
{
    Disk& metadata = add_disk(2 * MiB);
    Disk& fast = add_disk(4 * MiB);
    Disk& slow = add_disk(16 * MiB);
    const Bytes old = pattern(16 * MiB, 9);
    std::ranges::copy(old, slow.bytes().begin());
    const std::string disks = metadata.path() + " " + fast.path() + " " + slow.path() + " 64 ";
    Device cache = map("cache", slow.sectors(), "cache", disks + "1 writeback smq 0");
    EXPECT_EQ(same(read(cache->path(), 0, old.size()), old), old.size());

    // Written again and again, until blocks of it move to the cache.
    const Bytes data = pattern(MiB, 10);
    EXPECT_TRUE(becomes([&] {
        write(cache->path(), 4 * MiB, data);
        return word(cache, 10) != "0";  // blocks that are not on the slow disk yet
    })) << cache->status().at(0).parameters;
    write(cache->path(), 4 * MiB, data);
    EXPECT_TRUE(read(cache->path(), 4 * MiB, MiB) == data);
    cache.reset();

    // "cleaner" puts all of it where it belongs.
    cache = map("cache", slow.sectors(), "cache", disks + "1 writeback cleaner 0");
    EXPECT_TRUE(read(cache->path(), 4 * MiB, MiB) == data);
    EXPECT_TRUE(becomes([&] { return word(cache, 10) == "0"; }));
    cache.reset();
    Bytes expected = old;
    std::ranges::copy(data, expected.begin() + 4 * MiB);
    EXPECT_EQ(same(slow.bytes(), expected), expected.size());
}

TEST_F(DeviceMapperCopies, AWriteCacheKeepsWhatIsOnlyInIt)
{
    Disk& slow = add_disk(8 * MiB);
    Disk& fast = add_disk(4 * MiB);
    const std::string table = "s " + slow.path() + " " + fast.path() + " 4096 0";
    Device cache = map("cache", slow.sectors(), "writecache", table);
    const Bytes data = pattern(MiB, 11);
    write(cache->path(), 0, data);
    EXPECT_LT(same(slow.bytes(0, MiB), data), MiB) << "not only in the cache";
    EXPECT_TRUE(read(cache->path(), 0, MiB) == data);
    cache.reset();
    cache = map("cache", slow.sectors(), "writecache", table);
    EXPECT_TRUE(read(cache->path(), 0, MiB) == data);
    EXPECT_EQ(cache->message(0, "flush"), 0);
    EXPECT_EQ(same(slow.bytes(0, MiB), data), MiB);
}

TEST_F(DeviceMapperCopies, ACloneBecomesItsSource)
{
    Disk& metadata = add_disk(2 * MiB);
    Disk& to = add_disk(4 * MiB);
    Disk& from = add_disk(4 * MiB);
    Bytes data = pattern(4 * MiB, 12);
    std::ranges::copy(data, from.bytes().begin());
    const Device clone =
        map("clone", 8192, "clone",
            metadata.path() + " " + to.path() + " " + from.path() + " 8 1 no_hydration");
    EXPECT_EQ(same(read(clone->path(), 0, data.size()), data), data.size());
    EXPECT_EQ(word(clone, 3), "0/1024");
    const Bytes own = pattern(64 * KiB, 13);
    write(clone->path(), MiB, own);
    std::ranges::copy(own, data.begin() + MiB);
    EXPECT_EQ(clone->message(0, "enable_hydration"), 0);
    EXPECT_TRUE(becomes([&] { return word(clone, 3) == "1024/1024"; }));
    EXPECT_EQ(same(to.bytes(), data), data.size());
}

TEST_F(DeviceMapperCopies, ErasAreCounted)
{
    Disk& metadata = add_disk(2 * MiB);
    Disk& disk = add_disk(4 * MiB);
    const Device era = map("era", 8192, "era", metadata.path() + " " + disk.path() + " 128");
    const Bytes data = pattern(MiB, 14);
    write(era->path(), 0, data);
    EXPECT_EQ(same(disk.bytes(0, MiB), data), MiB);
    const int before = std::stoi(word(era, 2));
    EXPECT_EQ(era->message(0, "checkpoint"), 0);
    EXPECT_EQ(std::stoi(word(era, 2)), before + 1);
}

// A file system on dm-crypt on two disks that are one.
TEST_F(DeviceMapperCopies, AFileSystemOnAStack)
{
    constexpr uint64_t size = 16 * MiB;
    Bytes image(size);
    const TempFile file(size);
    const std::string tools = "PATH=$PATH:/sbin:/usr/sbin; ";
    if (std::system((tools + "command -v mkfs.ext4 >/dev/null").c_str()) != 0)
        GTEST_SKIP() << "no mkfs.ext4";
    ASSERT_EQ(std::system((tools + "mkfs.ext4 -q -F " + file.path()).c_str()), 0);
    ASSERT_EQ(::pread(file.fd(), image.data(), size, 0), static_cast<ssize_t>(size));

    Disk& first = add_disk(size / 2);
    Disk& second = add_disk(size / 2);
    const Table joined = {{0, first.sectors(), "linear", first.path() + " 0"},
                          {first.sectors(), second.sectors(), "linear", second.path() + " 0"}};
    const std::string key(128, 'a');
    Device linear = std::make_unique<MappedDevice>(kernel, "joined", joined);
    const auto make_crypt = [&] {
        return map("secret", size / sector_size, "crypt",
                   "aes-xts-plain64 " + key + " 0 " + linear->path() + " 0");
    };
    Device crypt = make_crypt();
    write(crypt->path(), 0, image);

    const Bytes data = pattern(5 * MiB, 15);
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    ASSERT_EQ(calls.mkdir("/stack"), 0);
    ASSERT_EQ(calls.mount(crypt->path().c_str(), "/stack", "ext4"), 0);
    EXPECT_EQ(calls.write_file("/stack/large", text, LKL_O_WRONLY | LKL_O_CREAT), 0);
    for (int i = 0; i < 100; ++i) {
        const std::string name = "/stack/small" + std::to_string(i);
        EXPECT_EQ(calls.write_file(name.c_str(), name, LKL_O_WRONLY | LKL_O_CREAT), 0);
    }
    EXPECT_EQ(crypt->remove(), -LKL_EBUSY) << "while it is mounted";
    ASSERT_EQ(calls.umount("/stack"), 0);
    image = read(crypt->path(), 0, size);
    crypt.reset();
    linear.reset();

    for (Disk* disk : {&first, &second}) {
        const std::string_view below(reinterpret_cast<const char*>(disk->bytes().data()),
                                     disk->bytes().size());
        EXPECT_EQ(below.find("small17"), std::string_view::npos) << "in plain text";
        EXPECT_EQ(below.find(text.substr(0, 64)), std::string_view::npos);
    }
    // What is deciphered is sound, as the host's program judges it.
    ASSERT_EQ(::pwrite(file.fd(), image.data(), size, 0), static_cast<ssize_t>(size));
    EXPECT_EQ(std::system((tools + "e2fsck -fn " + file.path() + " >/dev/null 2>&1").c_str()), 0);

    linear = std::make_unique<MappedDevice>(kernel, "joined", joined);
    crypt = make_crypt();
    ASSERT_EQ(calls.mount(crypt->path().c_str(), "/stack", "ext4"), 0);
    EXPECT_TRUE(calls.read_file("/stack/large") == text);
    EXPECT_EQ(calls.read_file("/stack/small17"), "/stack/small17");
    EXPECT_EQ(calls.count_entries("/stack"), 102);  // lost+found too
    EXPECT_EQ(calls.umount("/stack"), 0);
}

}  // namespace
}  // namespace lkl::test
