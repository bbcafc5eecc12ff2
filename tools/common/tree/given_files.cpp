// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/given_files.hpp"

namespace tools {

void GivenFiles::expect(const std::vector<std::string>& names)
{
    std::unordered_set<std::string> seen;
    for (const std::string& name : names) {
        if (!name.empty() && !seen.insert(name).second)
            shared_.insert(name);
    }
}

}  // namespace tools
