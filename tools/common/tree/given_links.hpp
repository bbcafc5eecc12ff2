// SPDX-License-Identifier: GPL-2.0-only
// Under which path each file with several names was given to a sink, so that its other names
// are given as links to that; until another file takes the path, as one of a later source may.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/tree/identity.hpp"

namespace tools {

// One thread.
class GivenLinks {
public:
    struct Link {
        std::string path;  // where the file is in the sink's tree
        uint64_t number;   // EntrySink::begun() then
    };

    // Null: there is none. It stays until the next change.
    const Link* find(const Identity& file) const
    {
        const auto found = links_.find(file);
        return found != links_.end() ? &found->second : nullptr;
    }
    // For a file that has none, under a path that take() was told of.
    void add(const Identity& file, Link link);
    void forget(const Identity& file);
    // The path is given for this file now. What was there before is there no more.
    void take(const std::string& path, const Identity& file);

private:
    std::unordered_map<Identity, Link, HashIdentity> links_;
    std::unordered_map<std::string_view, Identity> files_;  // by their paths in links_
};

}  // namespace tools
