// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/ip_address.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>

#include <lkl/asm/errno.h>
#include <lkl/socket.h>

namespace lkl {

// The text form is the C library's work, whose numbers of families are Linux's.
static_assert(AF_INET == LKL_AF_INET && AF_INET6 == LKL_AF_INET6);

namespace {

Error not_a(const char* what, std::string_view text)
{
    return Error{LKL_EINVAL, "\"" + std::string(text) + "\" is no " + what};
}

// A number up to `limit` that is all of the text, or -1.
int parse_number(std::string_view text, int base, int limit)
{
    int value = -1;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc() && stop == end && value >= 0 && value <= limit ? value : -1;
}

}  // namespace

IpAddress IpAddress::from_bytes(std::span<const std::byte> bytes)
{
    IpAddress address;
    if (bytes.size() != v4_size && bytes.size() != v6_size)
        return address;
    address.size_ = bytes.size();
    std::memcpy(address.bytes_.data(), bytes.data(), bytes.size());
    return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text)
{
    IpAddress address;
    const std::string copy(text);
    // inet_pton() would stop at a zero byte.
    if (copy.find('\0') == std::string::npos) {
        if (inet_pton(AF_INET, copy.c_str(), address.bytes_.data()) == 1)
            return address;
        if (inet_pton(AF_INET6, copy.c_str(), address.bytes_.data()) == 1) {
            address.size_ = v6_size;
            return address;
        }
    }
    return not_a("IP address", text);
}

IpAddress IpAddress::any(int family)
{
    IpAddress address;
    address.size_ = family == LKL_AF_INET6 ? v6_size : v4_size;
    return address;
}

int IpAddress::family() const
{
    return is_v6() ? LKL_AF_INET6 : LKL_AF_INET;
}

bool IpAddress::is_link_local() const
{
    return is_v6() && bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::text() const
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(family(), bytes_.data(), text.data(), text.size());
    return text.data();
}

Result<IpPrefix> IpPrefix::parse(std::string_view text)
{
    const size_t slash = text.find('/');
    auto address = IpAddress::parse(text.substr(0, slash));
    if (!address)
        return not_a("IP address or prefix", text);
    if (slash == std::string_view::npos)
        return IpPrefix{*address, address->bits()};
    const int length = parse_number(text.substr(slash + 1), 10, address->bits());
    if (length < 0)
        return not_a("IP address or prefix", text);
    return IpPrefix{*address, static_cast<uint8_t>(length)};
}

IpPrefix IpPrefix::network() const
{
    std::array<std::byte, IpAddress::v6_size> bytes;
    const auto from = address.bytes();
    std::copy(from.begin(), from.end(), bytes.begin());
    for (size_t bit = length; bit < address.bits(); ++bit)
        bytes[bit / 8] &= ~(std::byte{0x80} >> (bit % 8));
    return {IpAddress::from_bytes(std::span(bytes).first(from.size())), length};
}

std::string IpPrefix::text() const
{
    return address.text() + '/' + std::to_string(length);
}

Result<MacAddress> MacAddress::parse(std::string_view text)
{
    MacAddress mac;
    constexpr size_t step = 3;  // two digits and a colon
    if (text.size() != step * mac.bytes.size() - 1)
        return not_a("MAC address", text);
    for (size_t i = 0; i < mac.bytes.size(); ++i) {
        const int value = parse_number(text.substr(i * step, 2), 16, 0xff);
        if (value < 0 || (i > 0 && text[i * step - 1] != ':'))
            return not_a("MAC address", text);
        mac.bytes[i] = static_cast<uint8_t>(value);
    }
    return mac;
}

std::string MacAddress::text() const
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const uint8_t byte : bytes) {
        if (!text.empty())
            text += ':';
        text += digits[byte >> 4];
        text += digits[byte & 0xf];
    }
    return text;
}

}  // namespace lkl
