// SPDX-License-Identifier: GPL-2.0-only
// Which file a path in the sink's tree was given for, where several sources have one name:
// their directories become one, in which a file must not take the place of another one.
//
// Sources without a name ("directory/.") are laid over what is there, as everything that a
// copy replaces.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/tree/identity.hpp"

namespace tools {

// One thread. Takes memory for the files of sources that share their name alone.
class GivenFiles {
public:
    // The names of all sources that there will be; empty: it has none.
    void expect(const std::vector<std::string>& names);
    // The source of that name is next.
    void start(const std::string& name) { kept_ = shared_.contains(name); }
    // A file of the source, which is no directory. False: another one has the path.
    bool add(const std::string& path, const Identity& file)
    {
        return !kept_ || files_.try_emplace(path, file).first->second == file;
    }

private:
    std::unordered_set<std::string> shared_;
    bool kept_ = false;  // the files of the current source
    std::unordered_map<std::string, Identity> files_;
};

}  // namespace tools
