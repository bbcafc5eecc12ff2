// SPDX-License-Identifier: GPL-2.0-only
// Makes an image with a partition table that no other program makes.
//
//   write_table NAME IMAGE
//
// NAME: as in ../common/partition_tables.hpp. Prints number, start and size of each partition,
// in sectors. Without arguments: the names.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "filesystem/common/partition_tables.hpp"

int main(int argc, char** argv)
{
    using namespace lkl::test;
    for (const Table& table : tables) {
        if (argc < 3) {
            std::puts(table.name);
            continue;
        }
        if (table.name != std::string_view(argv[1]))
            continue;
        std::ofstream(argv[2]).close();
        std::filesystem::resize_file(argv[2], table_image * sector);
        Bytes bytes(argv[2]);
        table.write(bytes);
        for (const Entry& entry : table.expected)
            std::printf("%u %llu %llu\n", entry.number,
                        static_cast<unsigned long long>(entry.start),
                        static_cast<unsigned long long>(entry.size));
        return 0;
    }
    return argc < 3 ? 0 : 1;
}
