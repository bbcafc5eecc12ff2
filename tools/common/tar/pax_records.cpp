// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/pax_records.hpp"

#include <algorithm>
#include <charconv>

namespace tools {

namespace {

constexpr size_t block_size = 512;
// libarchive refuses larger ones.
constexpr uint64_t max_records = 64 << 20;

// Places in a ustar header.
constexpr size_t mode_offset = 100;
constexpr size_t size_offset = 124;
constexpr size_t type_offset = 156;

std::optional<uint64_t> octal(std::string_view field)
{
    const size_t start = field.find_first_not_of(' ');
    if (start == std::string_view::npos)
        return std::nullopt;
    uint64_t value = 0;
    const auto result =
        std::from_chars(field.data() + start, field.data() + field.size(), value, 8);
    if (result.ec != std::errc())
        return std::nullopt;
    return value;
}

// "-1.5" is one and a half seconds before 1970.
std::optional<Time> parse_time(std::string_view text)
{
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    Time time;
    const char* const end = text.data() + text.size();
    const auto whole = std::from_chars(text.data(), end, time.seconds);
    if (whole.ec != std::errc() || time.seconds < 0)
        return std::nullopt;
    if (whole.ptr != end) {
        if (*whole.ptr != '.')
            return std::nullopt;
        uint32_t unit = 100000000;
        for (const char* digit = whole.ptr + 1; digit != end; digit++, unit /= 10) {
            if (*digit < '0' || *digit > '9')
                return std::nullopt;
            time.nanoseconds += static_cast<uint32_t>(*digit - '0') * unit;
        }
    }
    if (negative) {
        time.seconds = -time.seconds;
        if (time.nanoseconds > 0) {
            time.seconds--;
            time.nanoseconds = 1000000000 - time.nanoseconds;
        }
    }
    return time;
}

// GNU tar encodes '=' and '%' in the names of attributes.
std::string decoded(std::string_view name)
{
    std::string result;
    while (!name.empty()) {
        const bool equals = name.starts_with("%3D");
        const bool percent = name.starts_with("%25");
        result += equals ? '=' : percent ? '%' : name.front();
        name.remove_prefix(equals || percent ? 3 : 1);
    }
    return result;
}

void take_record(PaxRecords& records, std::string_view key, std::string_view value)
{
    constexpr std::string_view attribute = "SCHILY.xattr.";
    if (key == "GNU.sparse.name" || (key == "path" && !records.path))
        records.path = value;
    else if (key == "linkpath")
        records.link = value;
    else if (key == "mtime")
        records.mtime = parse_time(value);
    else if (key == "atime")
        records.atime = parse_time(value);
    else if (key == "RHT.security.selinux")
        records.selinux = value.substr(0, value.find('\0'));
    else if (key.starts_with(attribute))
        records.attributes.push_back({decoded(key.substr(attribute.size())), std::string(value)});
}

// "LENGTH KEY=VALUE\n" again and again; what does not look so ends it.
void take_records(PaxRecords& records, std::string_view text)
{
    while (!text.empty()) {
        size_t length = 0;
        const auto number = std::from_chars(text.data(), text.data() + text.size(), length);
        const auto digits = static_cast<size_t>(number.ptr - text.data());
        if (number.ec != std::errc() || length > text.size() || length < digits + 2 ||
            text[digits] != ' ' || text[length - 1] != '\n')
            return;
        const std::string_view record = text.substr(digits + 1, length - digits - 2);
        if (const size_t equals = record.find('='); equals != std::string_view::npos)
            take_record(records, record.substr(0, equals), record.substr(equals + 1));
        text.remove_prefix(length);
    }
}

}  // namespace

std::optional<PaxRecords> read_pax_records(
    const std::function<std::string(uint64_t position, size_t length)>& read, uint64_t position)
{
    const std::string header = read(position, block_size);
    if (header.size() < block_size || header[type_offset] != 'x')
        return std::nullopt;
    const auto size = octal(std::string_view(header).substr(size_offset, 12));
    if (!size || *size > max_records)
        return std::nullopt;
    const std::string text = read(position + block_size, static_cast<size_t>(*size));
    if (text.size() < *size)
        return std::nullopt;
    PaxRecords records;
    take_records(records, text);
    const uint64_t padded = (*size + block_size - 1) / block_size * block_size;
    const std::string member = read(position + block_size + padded, block_size);
    if (member.size() == block_size) {
        if (const auto mode = octal(std::string_view(member).substr(mode_offset, 8)))
            records.mode = static_cast<uint32_t>(*mode & 07777);
    }
    return records;
}

}  // namespace tools
