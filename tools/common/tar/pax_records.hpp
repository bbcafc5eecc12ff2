// SPDX-License-Identifier: GPL-2.0-only
// What a pax extended header says, byte by byte.
//
// Why not what libarchive makes of it: it composes combining characters, loses the
// sign of fractions of seconds before 1970, leaves GNU tar's %3D in names of
// attributes, and changes a mode by the ACL (3.6).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/tree/entry.hpp"

namespace tools {

struct PaxRecords {
    // None, or empty: it does not say.
    std::optional<std::string> path;
    std::optional<std::string> link;
    std::optional<Time> mtime;
    std::optional<Time> atime;
    std::vector<Attribute> attributes;
    std::string selinux;           // the label, without a zero byte
    std::optional<uint32_t> mode;  // of the ustar header behind it
};

// read(position, length) gives bytes of the archive, fewer if they are not there.
// position: of a member's first header. None: that is no pax extended header.
std::optional<PaxRecords> read_pax_records(
    const std::function<std::string(uint64_t position, size_t length)>& read, uint64_t position);

}  // namespace tools
