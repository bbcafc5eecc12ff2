// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/size_request.hpp"

#include <charconv>
#include <cmath>

#include "common/report.hpp"

namespace tools::mkimage {

namespace {

[[noreturn]] void fail(std::string_view text, const std::string& where, const char* why)
{
    throw ToolError(ExitCode::usage, where + ' ' + escaped(text) + ": " + why);
}

constexpr double largest = 9.2e18;  // bytes: what a file can have

// The power of 1024 that a suffix stands for; -1: none.
int suffix_power(std::string_view suffix)
{
    if (suffix.size() == 3 && suffix.substr(1) == "iB")
        suffix.remove_suffix(2);
    constexpr std::string_view letters = "KMGTPE";
    if (suffix.empty() || suffix == "B")
        return 0;
    if (suffix.size() != 1)
        return -1;
    const size_t place = letters.find(static_cast<char>(std::toupper(suffix.front())));
    return place == std::string_view::npos ? -1 : static_cast<int>(place) + 1;
}

}  // namespace

uint64_t parse_bytes(std::string_view text, const std::string& where)
{
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    const int power = suffix_power({rest, static_cast<size_t>(end - rest)});
    if (error != std::errc() || power < 0 || !(number >= 0))
        fail(text, where, "is no size (as 4096, 64M or 1.5G)");
    const double bytes = std::ldexp(number, 10 * power);
    if (bytes > largest)
        fail(text, where, "is too large");
    return static_cast<uint64_t>(bytes);
}

SizeRequest SizeRequest::parse(std::string_view text, const std::string& where)
{
    constexpr std::string_view automatic = "auto";
    SizeRequest request;
    if (text == "rest") {
        request.kind = Kind::rest;
        return request;
    }
    if (!text.starts_with(automatic)) {
        request.kind = Kind::fixed;
        request.bytes = parse_bytes(text, where);
        if (request.bytes == 0)
            fail(text, where, "is nothing");
        return request;
    }
    const std::string_view more = text.substr(automatic.size());
    if (more.empty())
        return request;
    if (more.front() != '+' || more.size() == 1)
        fail(text, where, "is no size (as auto, auto+64M or auto+10%)");
    if (!more.ends_with('%')) {
        request.bytes = parse_bytes(more.substr(1), where);
        return request;
    }
    const char* const end = more.data() + more.size() - 1;
    const auto [rest, error] = std::from_chars(more.data() + 1, end, request.percent);
    if (error != std::errc() || rest != end || request.percent > 10000)
        fail(text, where, "is no share (as auto+10%)");
    return request;
}

}  // namespace tools::mkimage
