// SPDX-License-Identifier: GPL-2.0-only
#include "netlink/base64.hpp"

namespace lkl::netlink {

namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr unsigned bits_per_digit = 6;
constexpr unsigned bits_per_byte = 8;

}  // namespace

std::string to_base64(std::span<const uint8_t> bytes)
{
    std::string text;
    unsigned pending = 0;
    unsigned bits = 0;
    for (const uint8_t byte : bytes) {
        pending = pending << bits_per_byte | byte;
        for (bits += bits_per_byte; bits >= bits_per_digit; bits -= bits_per_digit)
            text += digits[pending >> (bits - bits_per_digit) & 63];
    }
    if (bits > 0)
        text += digits[pending << (bits_per_digit - bits) & 63];
    while (text.size() % 4 != 0)
        text += '=';
    return text;
}

bool from_base64(std::string_view text, std::span<uint8_t> bytes)
{
    size_t filled = 0;
    unsigned pending = 0;
    unsigned bits = 0;
    for (const char c : text.substr(0, text.find('='))) {
        const size_t digit = digits.find(c);
        if (digit == std::string_view::npos)
            return false;
        pending = pending << bits_per_digit | static_cast<unsigned>(digit);
        bits += bits_per_digit;
        if (bits < bits_per_byte)
            continue;
        bits -= bits_per_byte;
        if (filled == bytes.size())
            return false;
        bytes[filled++] = static_cast<uint8_t>(pending >> bits);
    }
    // Padding and left-over bits have one form only.
    return filled == bytes.size() && to_base64(bytes) == text;
}

}  // namespace lkl::netlink
