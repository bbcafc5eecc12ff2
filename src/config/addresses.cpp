// SPDX-License-Identifier: GPL-2.0-only
#include "config/addresses.hpp"

#include <cerrno>
#include <charconv>

#include "config/lists.hpp"

namespace lkl::config {

lkl::Result<unsigned> parse_number(const std::string& what, const std::string& text, unsigned least,
                                   unsigned most)
{
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < least || number > most)
        return lkl::Error{EINVAL, what + " \"" + text + "\": no number from " +
                                      std::to_string(least) + " to " + std::to_string(most)};
    return number;
}

lkl::Result<lkl::IpPrefix> parse_prefix(const std::string& what, const std::string& text,
                                        const std::string& length)
{
    auto prefix = lkl::IpPrefix::parse(text);
    if (!prefix)
        return lkl::Error{EINVAL, what + " \"" + text + "\": no address"};
    if (length.empty() || text.find('/') != std::string::npos)
        return prefix;
    const auto bits = parse_number(what + " length", length, 0, prefix->address.bits());
    if (!bits)
        return bits.error();
    prefix->length = static_cast<uint8_t>(*bits);
    return prefix;
}

lkl::Result<lkl::IpAddress> parse_address(const std::string& what, const std::string& text, bool v6)
{
    auto address = lkl::IpAddress::parse(text);
    if (!address || address->is_v6() != v6)
        return lkl::Error{EINVAL,
                          what + " \"" + text + "\": no IPv" + (v6 ? "6" : "4") + " address"};
    return address;
}

lkl::Result<std::pair<lkl::IpAddress, lkl::MacAddress>> parse_neighbour(const std::string& text)
{
    const auto [address_text, mac_text] = cut(text, "|");
    const auto address = lkl::IpAddress::parse(address_text);
    const auto mac = lkl::MacAddress::parse(mac_text);
    if (!address || !mac)
        return lkl::Error{EINVAL, "neighbour \"" + text + "\": is not ADDRESS|MAC"};
    return std::pair(*address, *mac);
}

}  // namespace lkl::config
