// SPDX-License-Identifier: GPL-2.0-only
// Texts for what stat(2) says, as ls(1) and stat(1) write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>

namespace tools::lkl_tool {

// "-rwsr-xr-x"; the first letter is the type.
std::string mode_text(uint32_t mode);
// "0644", with the bits above the permissions where there are any.
std::string octal_mode(uint32_t mode);
// "regular file", "symbolic link" ...
std::string_view type_name(uint32_t mode);

// Rounded up as ls -h does: "1.5K", "12M", "999".
std::string human_size(uint64_t bytes);
// The same number without a unit, or with one.
std::string size_text(uint64_t bytes, bool human);

// Local time. "Jan  2 15:04", or for what is older than half a year, or to come,
// "Jan  2  2006".
std::string short_time(const struct lkl_statx_timestamp& time);
// "2006-01-02 15:04:05.000000000 +0100"
std::string full_time(const struct lkl_statx_timestamp& time);
// "2006-01-02T14:04:05.000000000Z"
std::string utc_time(const struct lkl_statx_timestamp& time);

// Rows of cells under each other, two blanks between them; the last one of a row has no
// blanks behind it.
class Table {
public:
    // left_name: to the left, but numbers to the right.
    enum class Align { left, right, left_name };
    explicit Table(std::vector<Align> columns, size_t gap = 1)
        : columns_(std::move(columns)), gap_(gap)
    {
    }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    std::string text() const;

private:
    const std::vector<Align> columns_;
    const size_t gap_;
    std::vector<std::vector<std::string>> rows_;
};

// How many columns of a terminal a text takes.
size_t text_width(std::string_view text);

}  // namespace tools::lkl_tool
