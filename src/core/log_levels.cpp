// SPDX-License-Identifier: GPL-2.0-only
#include <core/log_levels.hpp>

#include <charconv>

namespace lkl {

namespace {

// Takes "<N>" off the line, and returns its level.
int take_level(std::string_view& line)
{
    constexpr int levels = 8;
    const size_t end = line.find('>');
    if (!line.starts_with('<') || end == std::string_view::npos)
        return default_log_level;
    unsigned value = 0;
    const char* const last = line.data() + end;
    const auto [stop, error] = std::from_chars(line.data() + 1, last, value);
    if (error != std::errc{} || stop != last)
        return default_log_level;
    line.remove_prefix(end + 1);
    return static_cast<int>(value % levels);
}

}  // namespace

void for_each_log_line(std::string_view text,
                       const std::function<void(int level, std::string_view line)>& take)
{
    while (!text.empty()) {
        const size_t newline = text.find('\n');
        std::string_view line = text.substr(0, newline);
        if (newline != std::string_view::npos)
            line = text.substr(0, newline + 1);
        text.remove_prefix(line.size());
        const int level = take_level(line);
        take(level, line);
    }
}

}  // namespace lkl
