// SPDX-License-Identifier: GPL-2.0-only
// Settings that hold several values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lkl::config {

// The parts between separators; none of an empty text, and empty parts are left out.
inline std::vector<std::string> split(std::string_view text, char separator)
{
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find(separator));
        if (!part.empty())
            parts.emplace_back(part);
        text.remove_prefix(std::min(part.size() + 1, text.size()));
    }
    return parts;
}

// What stands before and behind the first of the separators; without one, all before it.
inline std::pair<std::string, std::string> cut(std::string_view text, std::string_view separators)
{
    const size_t middle = text.find_first_of(separators);
    if (middle == std::string_view::npos)
        return {std::string(text), {}};
    return {std::string(text.substr(0, middle)), std::string(text.substr(middle + 1))};
}

}  // namespace lkl::config
