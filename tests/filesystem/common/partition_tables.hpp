// SPDX-License-Identifier: GPL-2.0-only
// Partition tables that no program of Debian's makes, and Amiga's, which parted may not be there
// for, written byte by byte: as in the kernel's block/partitions/NAME.c, and msdos.c for those
// inside of an MBR. Their images have table_image sectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lkl::test {

constexpr uint64_t sector = 512;
constexpr uint64_t table_image = 131072;

// A partition, in sectors.
struct Entry {
    unsigned number;
    uint64_t start;
    uint64_t size;

    friend bool operator==(const Entry&, const Entry&) = default;
};
using Entries = std::vector<Entry>;

inline void PrintTo(const Entry& entry, std::ostream* out)
{
    *out << entry.number << ": " << entry.start << " + " << entry.size;
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
    void mbr(uint64_t at, uint64_t slot, uint8_t type, uint64_t start, uint64_t size)
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

// AIX: each partition is a logical volume, made of pieces of the disk that are listed with the
// volume they belong to and their place in it.
inline void write_aix(Bytes& bytes)
{
    constexpr uint64_t area = 136;        // of the volume group
    constexpr uint64_t area_size = 2098;  // the names are at its end
    constexpr uint64_t first_piece = 4352;
    constexpr unsigned piece_bits = 20;  // bytes
    bytes.big(0, 0xc9c2d4c1);
    bytes.text(7 * sector, "_LVM");
    bytes.big(7 * sector + 24, area_size);
    bytes.big(7 * sector + 28, area);
    bytes.big(7 * sector + 46, piece_bits, 2);
    bytes.big(7 * sector + 60, 1, 2);  // version

    const auto volume = [&](uint64_t number, std::initializer_list<uint64_t> pieces) {
        bytes.big((area + 1) * sector + 32 * (number - 1) + 14, pieces.size(), 2);
        bytes.text((area + area_size - 33) * sector + 64 * (number - 1),
                   "hd" + std::to_string(number));
        uint64_t place = 1;
        for (const uint64_t piece : pieces) {
            const uint64_t entry = (area + 17) * sector + 32 + 32 * piece;
            bytes.big(entry, number, 2);
            bytes.big(entry + 6, place++, 2);
        }
    };
    bytes.big(area * sector + 24, 3, 2);  // volumes
    volume(1, {0, 1, 2, 3});
    volume(2, {6, 7, 8, 9});
    volume(3, {4, 10});  // is not in one place, so that it is none
    bytes.big((area + 17) * sector + 16, 12, 2);
    bytes.big((area + 17) * sector + 20, first_piece);
}

// Windows: an MBR with one partition of a type of its own, and a database in the last MiB.
class DynamicDisk {
public:
    static constexpr uint64_t start = 63;
    static constexpr uint64_t database = table_image - 2048;

    explicit DynamicDisk(Bytes& bytes) : bytes_(bytes)
    {
        bytes.mbr(0, 0, 0x42, start, database - start);
        for (const uint64_t at : {uint64_t{6}, database + 1856, database + 2047})
            head(at * sector);
        for (const uint64_t at : {1, 2, 2045, 2046})
            contents((database + at) * sector);
        record(0x34, string("Disk1") + string(id) + string(""), 12, 1);
        record(0x34, string("Disk2") + string("22222222-2222-2222-2222-222222222222") + string(""),
               12, 2);
    }
    DynamicDisk(const DynamicDisk&) = delete;
    DynamicDisk& operator=(const DynamicDisk&) = delete;
    // The database's own head, which tells how many records there are. The rest of their last
    // sector is records that are not in use.
    ~DynamicDisk()
    {
        while (next_ % 4 != 0)
            bytes_.text(database_at() + 128 * next_++, "VBLK");
        bytes_.text(database_at(), "VMDB");
        bytes_.big(database_at() + 4, next_);
        bytes_.big(database_at() + 8, 128);      // bytes a record
        bytes_.big(database_at() + 12, sector);  // of the first one
        bytes_.big(database_at() + 16, 1, 2);    // nothing is under way
        bytes_.big(database_at() + 18, 4, 2);    // version
        bytes_.big(database_at() + 20, 10, 2);
    }

    // disk: 1 is this one, 2 another one of the same group. begin: on the disk.
    void partition(unsigned disk, uint64_t begin, uint64_t size)
    {
        const uint64_t at = database_at() + 128 * next_;
        const uint64_t name = record(0x33, string("Disk1-01"), 0, 10 + next_);
        bytes_.big(at + name + 12, begin - start, 8);  // behind what no one needs
        const std::string rest = number(size) + number(100) + number(disk);
        bytes_.text(at + name + 28, rest);
        bytes_.big(at + 20, name - 24 + 28 + rest.size());
    }

private:
    static constexpr const char* id = "11111111-1111-1111-1111-111111111111";
    static constexpr uint64_t database_at() { return (database + 17) * sector; }

    // With their length before them.
    static std::string string(const std::string& text)
    {
        return static_cast<char>(text.size()) + text;
    }
    static std::string number(uint64_t value)
    {
        std::string bytes;
        for (unsigned i = 4; i-- > 0;)
            bytes += static_cast<char>(value >> (8 * i));
        return string(bytes);
    }

    void head(uint64_t at)
    {
        bytes_.text(at, "PRIVHEAD");
        bytes_.big(at + 0x0c, 2, 2);  // version
        bytes_.big(at + 0x0e, 11, 2);
        bytes_.text(at + 0x30, id);
        bytes_.big(at + 0x11b, start, 8);
        bytes_.big(at + 0x123, database - start, 8);
        bytes_.big(at + 0x12b, database, 8);
        bytes_.big(at + 0x133, 2048, 8);
    }
    void contents(uint64_t at)
    {
        bytes_.text(at, "TOCBLOCK");
        bytes_.text(at + 0x24, "config");
        bytes_.big(at + 0x2e, 17, 8);
        bytes_.big(at + 0x36, 1481, 8);
        bytes_.text(at + 0x46, "log");
        bytes_.big(at + 0x50, 1498, 8);
        bytes_.big(at + 0x58, 224, 8);
    }
    // strings: those that follow the object's number; fixed: bytes behind them. Returns where
    // these begin.
    uint64_t record(uint8_t type, const std::string& strings, uint64_t fixed, uint64_t object)
    {
        const uint64_t at = database_at() + 128 * next_;
        const std::string variable = number(object) + strings;
        bytes_.text(at, "VBLK");
        bytes_.big(at + 4, next_++);
        bytes_.big(at + 14, 1, 2);  // of one part
        bytes_.big(at + 19, type, 1);
        bytes_.big(at + 20, variable.size() + fixed);
        bytes_.text(at + 24, variable);
        return 24 + variable.size();
    }

    Bytes& bytes_;
    uint64_t next_ = 4;  // records; as many are taken by the head
};

// Amiga: a block for the disk and one for each partition. The sum of each one's words is 0.
inline void write_amiga(Bytes& bytes)
{
    using Words = std::vector<std::pair<uint64_t, uint32_t>>;
    const auto block = [&bytes](uint64_t at, Words words) {
        words.insert(words.end(), {{1, 64}, {3, 7}});
        uint32_t sum = 0;
        for (const auto& [place, value] : words) {
            bytes.big(at * sector + 4 * place, value);
            sum += value;
        }
        bytes.big(at * sector + 8, -sum);
    };
    constexpr uint32_t heads = 4;
    constexpr uint32_t sectors = 64;
    const auto partition = [&](uint64_t at, uint32_t next, uint32_t first, uint32_t last) {
        block(at, {{0, 0x50415254},
                   {4, next},
                   {32 + 3, heads},
                   {32 + 5, sectors},
                   {32 + 9, first},  // cylinders
                   {32 + 10, last},
                   {32 + 16, 0x444f5303}});
    };
    constexpr uint32_t none = 0xffffffff;
    block(1, {{0, 0x5244534b}, {4, sector}, {7, 3}, {36, heads * sectors}});
    partition(3, 5, 4, 35);
    partition(5, none, 40, 71);
}

struct Table {
    const char* name;
    std::function<void(Bytes&)> write;
    Entries expected;
};

// Inside of a partition of an MBR, as PC systems of their own had it.
constexpr uint64_t outer = 2048;
constexpr uint64_t outer_size = 65536;

inline const Table tables[] = {
    {"Amiga", write_amiga, {{1, 1024, 8192}, {2, 10240, 8192}}},
    {"Aix", write_aix, {{1, 4352, 8192}, {2, 4352 + 6 * 2048, 8192}}},
    {"Ldm",
     [](Bytes& bytes) {
         DynamicDisk disk(bytes);
         disk.partition(1, 20000, 8192);
         disk.partition(2, 2000, 8192);
         disk.partition(1, 4000, 9000);  // they are in the order of their places
     },
     {{1, 4000, 9000}, {2, 20000, 8192}}},
    {"Ultrix",
     [](Bytes& bytes) {
         constexpr uint64_t label = 16384 - 72;
         bytes.little(label, 0x032957);
         bytes.little(label + 4, 1);
         bytes.little(label + 8, 3000);  // the size comes first
         bytes.little(label + 12, 100);
         bytes.little(label + 8 + 56, 5000);
         bytes.little(label + 12 + 56, 4000);
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
         bytes.big(528, table_image);
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
         for (const char start : {'\1', '\4'}) {
             table += std::string("Eesox\0", 6) + std::string(10, '\0');
             table += std::string(1, '\0') + start + std::string(14, '\0');  // 256 sectors each
         }
         for (size_t i = 0; i < table.size(); ++i)
             table[i] = static_cast<char>(table[i] ^ cipher[i % cipher.size()]);
         bytes.text(7 * sector, table);
     },
     {{1, 256, 768}, {2, 1024, table_image - 1024}}},  // a size is what the next leaves
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
             bytes.little(slice + 2, 0x200, 2);  // is valid
             bytes.little(slice + 4, 1000 + 2000 * i);
             bytes.little(slice + 8, 1000 + i);
         }
     },
     {{1, outer, outer_size}, {5, 3000, 1001}, {6, 5000, 1002}}},
};

}  // namespace lkl::test
