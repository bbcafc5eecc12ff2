// SPDX-License-Identifier: GPL-2.0-only
// The kinds of partition tables that the kernel knows: what list_partitions() tells of those
// that sfdisk and parted make is what these say themselves. Others, which no program of
// Debian's makes, are written byte by byte. Not there: IBM's, which needs DASD disks, and those
// of Acorn that the kernel is built without (README.md).
// ctest: TIMEOUT=120
#include <algorithm>
#include <cstdlib>
#include <regex>
#include <string>

#include "common/image_test.hpp"
#include "common/partition_tables.hpp"

namespace lkl::test {
namespace {

class PartitionTables : public ImageTest {
protected:
    // Of the file "image".
    Entries list(const KernelOptions& options = {})
    {
        Kernel own = boot(options);
        auto backend = open_file_disk(work + "/image", {.read_only = true});
        EXPECT_TRUE(backend) << backend.error().what;
        const auto disk = own.add_disk(*std::move(backend));
        EXPECT_TRUE(disk);
        const auto partitions = list_partitions(own, *disk);
        EXPECT_TRUE(partitions);
        Entries entries;
        for (const Partition& one : *partitions)
            entries.push_back({one.number, one.offset / sector, one.size / sector});
        return entries;
    }
    void make_image()
    {
        run("rm -f image && truncate -s " + std::to_string(table_image * sector) + " image");
    }
};

// Where number, start and a size follow one another in a line of a tool's, as the pattern
// says.
Entries read_entries(const std::string& text, const std::string& pattern)
{
    Entries entries;
    const std::regex line(pattern);
    for (std::sregex_iterator one(text.begin(), text.end(), line), end; one != end; ++one)
        entries.push_back({static_cast<unsigned>(std::stoul((*one)[1])), std::stoull((*one)[2]),
                           std::stoull((*one)[3])});
    return entries;
}

TEST_F(PartitionTables, AreWhatSfdiskSays)
{
    for (const std::string label : {"dos", "gpt", "sgi", "sun"}) {
        make_image();
        run("printf 'label: " + label +
            "\\nstart=16065, size=32130\\nstart=64260, size=32130\\n' | sfdisk -q image");
        const Entries expected =
            read_entries(run("sfdisk -d image"), "image(\\d+) : start= *(\\d+), size= *(\\d+)");
        EXPECT_EQ(expected.size(), 2u) << label;
        EXPECT_EQ(list(), expected) << label;
    }
}

TEST_F(PartitionTables, AreWhatPartedSays)
{
    if (std::system("command -v parted >/dev/null") != 0)
        GTEST_SKIP() << "parted is not installed";
    // "bsd" on a whole disk is what OSF/1 has.
    for (const std::string label : {"amiga", "atari", "bsd", "mac"}) {
        make_image();
        const std::string type = label == "atari" ? "primary ext2" : "ext2";
        run("parted -s -a none image mklabel " + label);
        run("parted -s -a none image mkpart " + type + " 4MiB 20MiB");
        run("parted -s -a none image mkpart " + type + " 24MiB 40MiB");
        const Entries expected =
            read_entries(run("parted -ms image unit s print"), "(\\d+):(\\d+)s:\\d+s:(\\d+)s:");
        EXPECT_GE(expected.size(), 2u) << label;
        Entries found = list();
        // This one has entries for what is free, too, behind the others.
        if (label == "mac")
            found.resize(std::min(found.size(), expected.size()));
        EXPECT_EQ(found, expected) << label;
    }
}

TEST_F(PartitionTables, OfOldSystemsAreKnown)
{
    for (const Table& table : tables) {
        make_image();
        {
            Bytes bytes(work + "/image");
            table.write(bytes);
        }
        EXPECT_EQ(list(), table.expected) << table.name;
    }
}

TEST_F(PartitionTables, OnTheCommandLineAreKnown)
{
    make_image();
    EXPECT_EQ(list({.command_line = "blkdevparts=vda:4M@1M(one),-(two)"}),
              (Entries{{1, 2048, 8192}, {2, 10240, table_image - 10240}}));
}

TEST_F(PartitionTables, OfAnEmptyDiskAreNone)
{
    make_image();
    EXPECT_EQ(list(), Entries{});
}

TEST_F(PartitionTables, OfADiskThatIsNotThereAreAnError)
{
    Kernel own = boot();
    const auto partitions = list_partitions(own, DiskId{.index = 0, .device = 254 << 8});
    ASSERT_FALSE(partitions);
    EXPECT_EQ(partitions.error().code, LKL_ENOENT);
}

}  // namespace
}  // namespace lkl::test
