// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/output/format.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include <lkl/linux/stat.h>

namespace tools::lkl_tool {

namespace {

struct Type {
    uint32_t bits;
    char letter;
    std::string_view name;
};
constexpr std::array types{
    Type{LKL_S_IFREG, '-', "regular file"},  Type{LKL_S_IFDIR, 'd', "directory"},
    Type{LKL_S_IFLNK, 'l', "symbolic link"}, Type{LKL_S_IFCHR, 'c', "character device"},
    Type{LKL_S_IFBLK, 'b', "block device"},  Type{LKL_S_IFIFO, 'p', "fifo"},
    Type{LKL_S_IFSOCK, 's', "socket"},
};

const Type& type_of(uint32_t mode)
{
    static constexpr Type unknown{0, '?', "unknown"};
    const auto found = std::find_if(types.begin(), types.end(), [mode](const Type& type) {
        return type.bits == (mode & LKL_S_IFMT);
    });
    return found == types.end() ? unknown : *found;
}

std::string format_time(const char* format, const tm& time)
{
    std::array<char, 64> text{};
    const size_t length = strftime(text.data(), text.size(), format, &time);
    return {text.data(), length};
}

// Some years are too far away for a calendar.
bool to_calendar(int64_t seconds, bool local, tm& result)
{
    const time_t time = seconds;
    return (local ? localtime_r(&time, &result) : gmtime_r(&time, &result)) != nullptr;
}

bool is_number(std::string_view text)
{
    return text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string nanoseconds(const struct lkl_statx_timestamp& time)
{
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%09u", time.tv_nsec);
    return text.data();
}

}  // namespace

std::string mode_text(uint32_t mode)
{
    std::string text(1, type_of(mode).letter);
    for (const unsigned shift : {6U, 3U, 0U}) {
        const uint32_t bits = mode >> shift;
        text += (bits & 4) != 0 ? 'r' : '-';
        text += (bits & 2) != 0 ? 'w' : '-';
        text += (bits & 1) != 0 ? 'x' : '-';
    }
    const auto special = [&text, mode](uint32_t bit, size_t place, char letter) {
        if ((mode & bit) != 0)
            text[place] = text[place] == 'x' ? letter : static_cast<char>(letter - 'a' + 'A');
    };
    special(LKL_S_ISUID, 3, 's');
    special(LKL_S_ISGID, 6, 's');
    special(LKL_S_ISVTX, 9, 't');
    return text;
}

std::string octal_mode(uint32_t mode)
{
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "%04o", mode & 07777);
    return text.data();
}

std::string_view type_name(uint32_t mode)
{
    return type_of(mode).name;
}

std::string human_size(uint64_t bytes)
{
    constexpr std::string_view units = "KMGTPE";
    if (bytes < 1024)
        return std::to_string(bytes);
    size_t unit = 0;
    uint64_t size = 1024;
    while (unit + 1 < units.size() && bytes / size >= 1024) {
        size *= 1024;
        unit++;
    }
    const uint64_t whole = bytes / size;
    const uint64_t rest = bytes % size;  // at most 2^60: ten times that fits
    const uint64_t tenths = whole * 10 + (rest * 10 + size - 1) / size;
    if (tenths < 100)
        return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + units[unit];
    const uint64_t rounded = whole + (rest != 0 ? 1 : 0);
    if (rounded == 1024 && unit + 1 < units.size())
        return std::string("1.0") + units[unit + 1];
    return std::to_string(rounded) + units[unit];
}

std::string size_text(uint64_t bytes, bool human)
{
    return human ? human_size(bytes) : std::to_string(bytes);
}

std::string short_time(const struct lkl_statx_timestamp& time)
{
    tm calendar{};
    if (!to_calendar(time.tv_sec, true, calendar))
        return std::to_string(time.tv_sec);
    // Half a year of 365.2425 days, as ls(1) counts it.
    constexpr int64_t half_a_year = 31556952 / 2;
    const int64_t now = std::time(nullptr);
    const bool recent = time.tv_sec <= now && time.tv_sec > now - half_a_year;
    return format_time(recent ? "%b %e %H:%M" : "%b %e  %Y", calendar);
}

std::string full_time(const struct lkl_statx_timestamp& time)
{
    tm calendar{};
    if (!to_calendar(time.tv_sec, true, calendar))
        return std::to_string(time.tv_sec) + '.' + nanoseconds(time);
    return format_time("%Y-%m-%d %H:%M:%S", calendar) + '.' + nanoseconds(time) +
           format_time(" %z", calendar);
}

std::string utc_time(const struct lkl_statx_timestamp& time)
{
    tm calendar{};
    if (!to_calendar(time.tv_sec, false, calendar))
        return std::to_string(time.tv_sec) + '.' + nanoseconds(time);
    return format_time("%Y-%m-%dT%H:%M:%S", calendar) + '.' + nanoseconds(time) + 'Z';
}

size_t text_width(std::string_view text)
{
    // Of UTF-8, bytes that continue a character take no room.
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string Table::text() const
{
    std::vector<size_t> widths(columns_.size(), 0);
    for (const auto& row : rows_) {
        for (size_t i = 0; i < row.size(); i++)
            widths[i] = std::max(widths[i], text_width(row[i]));
    }
    std::string text;
    for (const auto& row : rows_) {
        for (size_t i = 0; i < row.size(); i++) {
            const size_t padding = widths[i] - text_width(row[i]);
            const bool to_right = columns_[i] == Align::right ||
                                  (columns_[i] == Align::left_name && is_number(row[i]));
            if (to_right)
                text.append(padding, ' ');
            text += row[i];
            if (i + 1 == row.size())
                break;
            if (!to_right)
                text.append(padding, ' ');
            text.append(gap_, ' ');
        }
        text += '\n';
    }
    return text;
}

}  // namespace tools::lkl_tool
