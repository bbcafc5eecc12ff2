// SPDX-License-Identifier: GPL-2.0-only
#include "common/report.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <mutex>

#include <unistd.h>

namespace tools {

namespace {

// Reports come from the main thread and, with the kernel's log, from whichever
// thread carries the kernel.
std::mutex lock;
std::string tool_name = "lkl";
bool status_shown = false;

void write_all(std::string_view text)
{
    while (!text.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written <= 0)
            return;  // nobody is left to be told
        text.remove_prefix(static_cast<size_t>(written));
    }
}

constexpr std::string_view clear_line = "\r\033[K";

// In one write, so that lines of several processes do not mix. Under the lock.
void write_line(std::string_view prefix, std::string_view text)
{
    std::string line;
    if (status_shown)
        line = clear_line;
    status_shown = false;
    line += prefix;
    line += text;
    line += '\n';
    write_all(line);
}

// The length of the valid UTF-8 sequence at the start of `bytes`, which is more
// than one byte long and no control character; else 0. RFC 3629, section 4.
size_t utf8_length(std::string_view bytes)
{
    const auto byte = [bytes](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned first = byte(0);
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || bytes.size() < length)
        return 0;
    uint32_t point = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (byte(i) & 0x3f);
    }
    const bool overlong = point < (length == 4 ? 0x10000u : length == 3 ? 0x800u : 0x80u);
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    const bool control = point < 0xa0;                         // C1
    const bool bidi = (point >= 0x200b && point <= 0x200f) ||  // directions and
                      (point >= 0x2028 && point <= 0x202e) ||  // what has no width
                      (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
    return overlong || surrogate || control || bidi || point > 0x10ffff ? 0 : length;
}

}  // namespace

std::string escaped(std::string_view bytes)
{
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto c = static_cast<unsigned char>(bytes.front());
        size_t length = 1;
        if (c == '\\') {
            text += "\\\\";
        } else if (c >= 0x20 && c < 0x7f) {
            text += static_cast<char>(c);
        } else if (c >= 0x80 && (length = utf8_length(bytes)) > 0) {
            text += bytes.substr(0, length);
        } else {
            length = 1;
            text += {'\\', static_cast<char>('0' + (c >> 6)), static_cast<char>('0' + (c >> 3 & 7)),
                     static_cast<char>('0' + (c & 7))};
        }
        bytes.remove_prefix(length);
    }
    return text;
}

void set_tool_name(std::string_view name)
{
    const std::lock_guard guard(lock);
    tool_name = name;
}

void report(std::string_view text)
{
    const std::lock_guard guard(lock);
    write_line(tool_name + ": ", text);
}

void report_log_line(std::string_view text)
{
    const std::lock_guard guard(lock);
    write_line({}, text);
}

void show_status_line(std::string_view text)
{
    const std::lock_guard guard(lock);
    if (text.empty() && !status_shown)
        return;
    std::string line(clear_line);
    line += text;
    status_shown = !text.empty();
    write_all(line);
}

}  // namespace tools
