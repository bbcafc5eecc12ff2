// SPDX-License-Identifier: GPL-2.0-only
// What the user wants to be different from the source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/tree/entry.hpp"
#include "common/tree/mode_change.hpp"

namespace tools {

struct Owner {
    uint32_t uid = 0;
    uint32_t gid = 0;
};

// `count` user and group IDs from `from` on become those from `to` on.
struct IdRange {
    uint32_t from = 0;
    uint32_t to = 0;
    uint32_t count = 1;
};

// "UID:GID". None: it is not such a text.
std::optional<Owner> parse_owner(std::string_view text);
// "FROM:TO" or "FROM:TO:COUNT".
std::optional<IdRange> parse_id_range(std::string_view text);

struct Rewrite {
    std::optional<Owner> owner;
    std::vector<IdRange> ids;  // the first that fits counts; also for ACLs
    ModeChange mode;           // of all but symbolic links
    bool attributes = true;    // false: without extended attributes
    std::string label;         // SELinux label of all files; empty: their own
    // Seconds since 1970: no later time is kept, and that of the last access, which reading
    // changes, is that of the last change. None: times stay.
    std::optional<int64_t> latest_time;

    void apply(Entry& entry) const;
};

}  // namespace tools
