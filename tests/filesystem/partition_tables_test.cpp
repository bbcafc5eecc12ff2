// SPDX-License-Identifier: GPL-2.0-only
// The kinds of partition tables that the kernel knows: what list_partitions() tells of those
// that sfdisk and parted make is what these say themselves. Others, which no program of
// Debian's makes, are written byte by byte.
// ctest: TIMEOUT=120
#include <algorithm>
#include <cstdint>
#include <functional>
#include <ostream>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "common/image_test.hpp"

namespace lkl::test {
namespace {

constexpr uint64_t sector = 512;

// In sectors.
struct Entry {
    unsigned number;
    uint64_t start;
    uint64_t size;

    friend bool operator==(const Entry&, const Entry&) = default;
};
using Entries = std::vector<Entry>;

void PrintTo(const Entry& entry, std::ostream* out)
{
    *out << entry.number << ": " << entry.start << " + " << entry.size;
}

class PartitionTables : public ImageTest {
protected:
    // Of the file "image".
    Entries list()
    {
        Kernel own = boot();
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
    void make_image() { run("rm -f image && truncate -s 64M image"); }
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

// The bytes of an image, by their offset.
class Bytes {
public:
    explicit Bytes(const std::string& path)
        : file_(path, std::ios::binary | std::ios::in | std::ios::out)
    {
    }

    void text(uint64_t offset, std::string_view text)
    {
        file_.seekp(static_cast<std::streamoff>(offset));
        file_.write(text.data(), static_cast<std::streamsize>(text.size()));
    }
    // Numbers, the lowest byte first or the highest.
    void little(uint64_t offset, uint64_t value, unsigned size = 4)
    {
        std::string bytes;
        for (unsigned i = 0; i < size; ++i)
            bytes += static_cast<char>(value >> (8 * i));
        text(offset, bytes);
    }
    void big(uint64_t offset, uint64_t value, unsigned size = 4)
    {
        std::string bytes;
        for (unsigned i = size; i-- > 0;)
            bytes += static_cast<char>(value >> (8 * i));
        text(offset, bytes);
    }
    // An entry of the MBR in a sector.
    void mbr(uint64_t at, unsigned slot, uint8_t type, uint64_t start, uint64_t size)
    {
        const uint64_t entry = at * sector + 446 + 16 * slot;
        little(entry + 4, type, 1);
        little(entry + 8, start);
        little(entry + 12, size);
        little(at * sector + 510, 0xaa55, 2);
    }

private:
    std::fstream file_;
};

struct Table {
    const char* name;
    std::function<void(Bytes&)> write;
    Entries expected;
};

// Inside of a partition of an MBR, as PC systems of their own had it.
constexpr uint64_t outer = 2048;
constexpr uint64_t outer_size = 65536;

// As in the kernel's block/partitions/NAME.c, and msdos.c for those inside of an MBR.
const Table tables[] = {
    {"Ultrix",
     [](Bytes& bytes) {
         constexpr uint64_t label = 16384 - 72;
         bytes.little(label, 0x032957);
         bytes.little(label + 4, 1);
         bytes.little(label + 8, 3000);  // the size comes first
         bytes.little(label + 12, 100);
         bytes.little(label + 8 + 7 * 8, 5000);
         bytes.little(label + 12 + 7 * 8, 4000);
     },
     {{1, 100, 3000}, {8, 4000, 5000}}},
    {"Karma",
     [](Bytes& bytes) {
         bytes.little(510, 0xab56, 2);
         for (const uint64_t i : {0, 1}) {
             const uint64_t entry = 270 + 16 * i;
             bytes.little(entry + 4, 0x4d, 1);
             bytes.little(entry + 8, 1000 + 4000 * i);
             bytes.little(entry + 12, 2000 + i);
         }
     },
     {{1, 1000, 2000}, {2, 5000, 2001}}},
    {"Sysv68",
     [](Bytes& bytes) {
         bytes.text(248, "MOTOROLA");
         bytes.big(256 + 128, 1);
         bytes.big(256 + 132, 3, 2);  // with that of the whole disk
         bytes.big(512, 2000);        // the size comes first
         bytes.big(516, 1000);
         bytes.big(520, 2001);
         bytes.big(524, 5000);
         bytes.big(528, 131072);
     },
     {{1, 1000, 2000}, {2, 5000, 2001}}},
    {"AcornIcs",
     [](Bytes& bytes) {
         uint64_t sum = 0x50617274;
         uint64_t at = 0;
         for (const uint64_t value : {100, 2000, 5000, 3000}) {
             bytes.little(at, value);
             at += 4;
             for (uint64_t rest = value; rest != 0; rest >>= 8)
                 sum += rest & 0xff;
         }
         bytes.little(508, sum);
     },
     {{1, 100, 2000}, {2, 5000, 3000}}},
    {"AcornEesox",
     [](Bytes& bytes) {
         constexpr std::string_view cipher = "Neil Critchell  ";
         std::string table;
         for (const char start : {1, 4}) {
             table += std::string("Eesox\0", 6) + std::string(10, '\0');
             table += std::string(1, '\0') + start + std::string(14, '\0');  // 256 sectors each
         }
         for (size_t i = 0; i < table.size(); ++i)
             table[i] = static_cast<char>(table[i] ^ cipher[i % cipher.size()]);
         bytes.text(7 * sector, table);
     },
     {{1, 256, 768}, {2, 1024, 131072 - 1024}}},  // a size is what the next leaves
    {"MinixInMbr",
     [](Bytes& bytes) {
         bytes.mbr(0, 0, 0x81, outer, outer_size);
         bytes.mbr(outer, 0, 0x81, 3000, 1000);
         bytes.mbr(outer, 2, 0x81, 5000, 2000);
     },
     {{1, outer, outer_size}, {5, 3000, 1000}, {6, 5000, 2000}}},
    {"SolarisInMbr",
     [](Bytes& bytes) {
         bytes.mbr(0, 0, 0xbf, outer, outer_size);
         constexpr uint64_t label = (outer + 1) * sector;
         bytes.little(label + 12, 0x600ddeee);
         bytes.little(label + 16, 1);
         bytes.little(label + 30, 8, 2);
         bytes.little(label + 72 + 4, 100);
         bytes.little(label + 72 + 8, 1000);
         bytes.little(label + 84 + 4, 2000);
         bytes.little(label + 84 + 8, 3000);
     },
     {{1, outer, outer_size}, {5, outer + 100, 1000}, {6, outer + 2000, 3000}}},
    {"BsdInMbr",
     [](Bytes& bytes) {
         bytes.mbr(0, 0, 0xa5, outer, outer_size);
         constexpr uint64_t label = (outer + 1) * sector;
         bytes.little(label, 0x82564557);
         bytes.little(label + 132, 0x82564557);
         bytes.little(label + 138, 8, 2);
         for (const uint64_t i : {0, 1}) {
             const uint64_t entry = label + 148 + 16 * i;
             bytes.little(entry, 1000 + i);
             bytes.little(entry + 4, 100 + 2000 * i);
             bytes.little(entry + 12, 7, 1);
         }
     },
     {{1, outer, outer_size}, {5, outer + 100, 1000}, {6, outer + 2100, 1001}}},
    {"UnixWareInMbr",
     [](Bytes& bytes) {
         bytes.mbr(0, 0, 0x63, outer, outer_size);
         constexpr uint64_t label = (outer + 29) * sector;
         bytes.little(label + 4, 0xca5e600d);
         bytes.little(label + 156, 0x600ddeee);
         for (const uint64_t i : {1, 2}) {
             const uint64_t slice = label + 216 + 12 * i;
             bytes.little(slice, 2, 2);
             bytes.little(slice + 4, 1000 + 2000 * i);
             bytes.little(slice + 8, 1000 + i);
         }
     },
     {{1, outer, outer_size}, {5, 3000, 1001}, {6, 5000, 1002}}},
};

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
