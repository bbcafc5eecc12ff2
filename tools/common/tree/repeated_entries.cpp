// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/repeated_entries.hpp"

#include <algorithm>
#include <functional>

namespace tools {

bool RepeatedEntries::add(uint64_t inode, std::string_view name)
{
    // Who makes two entries with one hash has his own image refused.
    constexpr uint64_t odd = 0x9e3779b97f4a7c15;
    const uint64_t number = (inode + 1) * odd;
    seen_.push_back(std::hash<std::string_view>()(name) ^ (number ^ number >> 32));
    if (seen_.size() < next_look_)
        return true;
    next_look_ *= 2;
    return !mostly_repeated();
}

bool RepeatedEntries::mostly_repeated()
{
    std::sort(seen_.begin(), seen_.end());
    size_t repeated = 0;
    for (size_t i = 1; i < seen_.size(); i++)
        repeated += seen_[i] == seen_[i - 1] ? 1 : 0;
    return repeated >= seen_.size() / 2;
}

}  // namespace tools
