// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/given_links.hpp"

#include <utility>

namespace tools {

void GivenLinks::add(const Identity& file, Link link)
{
    const auto place = links_.try_emplace(file, std::move(link)).first;
    files_.emplace(place->second.path, file);
}

void GivenLinks::forget(const Identity& file)
{
    const auto found = links_.find(file);
    if (found == links_.end())
        return;
    files_.erase(found->second.path);
    links_.erase(found);
}

void GivenLinks::take(const std::string& path, const Identity& file)
{
    const auto before = files_.find(path);
    if (before == files_.end() || before->second == file)
        return;
    const Identity other = before->second;
    forget(other);
}

}  // namespace tools
