// SPDX-License-Identifier: GPL-2.0-only
#include "netlink/qdisc/words.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <lkl/asm/errno.h>

namespace lkl::qdisc {

namespace {

constexpr std::string_view blanks = " \t\n";

}  // namespace

Words::Words(std::string_view text)
{
    for (size_t at = text.find_first_not_of(blanks); at != std::string_view::npos;) {
        const size_t end = std::min(text.find_first_of(blanks, at), text.size());
        words_.emplace_back(text.substr(at, end - at));
        at = text.find_first_not_of(blanks, end);
    }
}

std::string_view Words::take()
{
    return at_end() ? std::string_view() : words_[position_++];
}

bool Words::accept(std::string_view word)
{
    if (at_end() || words_[position_] != word)
        return false;
    ++position_;
    return true;
}

bool Words::value_follows() const
{
    if (at_end())
        return false;
    const char first = words_[position_].front();
    return (first >= '0' && first <= '9') || first == '.';
}

void Words::fail(std::string what)
{
    if (error_)
        return;
    error_ = Error{LKL_EINVAL, std::move(what)};
}

void Words::unknown()
{
    fail("unknown word \"" + std::string(option()) + '"');
}

int64_t Words::integer(int base, int64_t least, int64_t most)
{
    if (error_)
        return 0;
    const std::string name(option());
    const std::string text(take());
    int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty())
        fail('"' + name + "\" needs a number");
    else if (error != std::errc() || stop != text.data() + text.size())
        fail('"' + text + "\" of \"" + name + "\" is no number");
    else if (value < least || value > most)
        fail('"' + text + "\" of \"" + name + "\" is out of range");
    return error_ ? 0 : value;
}

uint32_t Words::number()
{
    return static_cast<uint32_t>(integer(10, 0, std::numeric_limits<uint32_t>::max()));
}

uint32_t Words::number_base16()
{
    return static_cast<uint32_t>(integer(16, 0, std::numeric_limits<uint32_t>::max()));
}

int32_t Words::signed_number()
{
    return static_cast<int32_t>(
        integer(10, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

double Words::scaled(const Unit* units, size_t count, const char* what, double limit)
{
    if (error_)
        return 0;
    const std::string name(option());
    std::string text(take());
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    std::string unit(stop, end);
    std::transform(unit.begin(), unit.end(), unit.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const Unit* const found =
        std::find_if(units, units + count, [&](const Unit& one) { return one.name == unit; });
    if (text.empty())
        fail('"' + name + "\" needs a " + what);
    else if (error != std::errc() || found == units + count || value < 0)
        fail('"' + text + "\" of \"" + name + "\" is no " + what);
    // 100% may come out a hair above.
    else if (std::round(value * found->factor) > limit)
        fail('"' + text + "\" of \"" + name + "\" is out of range");
    return error_ ? 0 : std::round(value * found->factor);
}

template <size_t count>
double Words::scaled(const Unit (&units)[count], const char* what, double limit)
{
    return scaled(units, count, what, limit);
}

uint64_t Words::time()
{
    static constexpr Unit units[] = {{"", 1e3},   {"ns", 1},     {"us", 1e3}, {"usec", 1e3},
                                     {"ms", 1e6}, {"msec", 1e6}, {"s", 1e9},  {"sec", 1e9}};
    return static_cast<uint64_t>(scaled(units, "time", 9e18));
}

uint32_t Words::time_us()
{
    constexpr uint64_t ns_per_us = 1000;
    const uint64_t us = time() / ns_per_us;
    if (us > std::numeric_limits<uint32_t>::max())
        fail("a time is out of range");
    return static_cast<uint32_t>(us);
}

uint32_t Words::size()
{
    constexpr double k = 1024;
    static constexpr Unit units[] = {{"", 1},
                                     {"b", 1},
                                     {"k", k},
                                     {"kb", k},
                                     {"m", k * k},
                                     {"mb", k * k},
                                     {"g", k * k * k},
                                     {"gb", k * k * k},
                                     {"kbit", k / 8},
                                     {"mbit", k * k / 8},
                                     {"gbit", k * k * k / 8}};
    return static_cast<uint32_t>(scaled(units, "size", std::numeric_limits<uint32_t>::max()));
}

uint64_t Words::rate()
{
    constexpr double k = 1024;
    static constexpr Unit units[] = {
        {"", 1. / 8},      {"bit", 1. / 8},      {"kbit", 1e3 / 8},
        {"mbit", 1e6 / 8}, {"gbit", 1e9 / 8},    {"tbit", 1e12 / 8},
        {"kibit", k / 8},  {"mibit", k * k / 8}, {"gibit", k * k * k / 8},
        {"bps", 1},        {"kbps", 1e3},        {"mbps", 1e6},
        {"gbps", 1e9},     {"tbps", 1e12},       {"kibps", k},
        {"mibps", k * k},  {"gibps", k * k * k}};
    return static_cast<uint64_t>(scaled(units, "rate", 1e18));
}

uint32_t Words::share()
{
    constexpr double most = std::numeric_limits<uint32_t>::max();
    static constexpr Unit units[] = {{"%", most / 100}, {"", most / 100}};
    return static_cast<uint32_t>(scaled(units, "percentage", most));
}

}  // namespace lkl::qdisc
