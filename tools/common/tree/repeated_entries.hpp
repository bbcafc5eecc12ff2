// SPDX-License-Identifier: GPL-2.0-only
// Whether a directory of an image comes to no end. A crafted one can lead the kernel round in
// circles, or show one block of names for a million blocks: each call succeeds, and whoever
// reads all of it runs out of memory.
//
// In a directory each name comes once. So a sound one, of whatever size, has no entry twice,
// while one without an end has hardly any others: what it can show is what the medium holds.
// (FAT and exFAT give entries other numbers each time; there the kernel itself bounds
// directories.) A damaged directory may have some entries twice, and is read on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tools {

// Of one directory that is read once, from its start. One thread. Takes 8 bytes an entry.
class RepeatedEntries {
public:
    // From here on entries are looked at, each time that there are twice as many.
    static constexpr size_t first_look = size_t{1} << 16;

    // The next entry. False: at least half of all that have come had come before. There are
    // then less than four times as many as are different, or first_look.
    bool add(uint64_t inode, std::string_view name);

private:
    bool mostly_repeated();

    std::vector<uint64_t> seen_;  // a hash of each entry
    size_t next_look_ = first_look;
};

}  // namespace tools
