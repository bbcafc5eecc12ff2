// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cerrno>
#include <utility>

#include "config/addresses.hpp"
#include "config/device_options.hpp"
#include "config/device_types.hpp"
#include "config/lists.hpp"

namespace lkl::config {

namespace {

using lkl::Error;
using lkl::Result;

// What is said of a device that is none would be lost without a word.
Result<void> check_none(const Interface& one)
{
    if (one.type != "none")
        return {};
    if (is_on(one.dhcp))
        return Error{EINVAL, "dhcp: \"none\" is no device that could be asked on"};
    const std::pair<const char*, const std::string&> settings[] = {
        {"mac", one.mac},
        {"mtu", one.mtu},
        {"ip", one.ip},
        {"ip6", one.ip6},
        {"neighbours", one.neighbours},
        {"qdisc", one.qdisc},
    };
    for (const auto& [what, text] : settings) {
        if (!text.empty())
            return Error{EINVAL, std::string(what) + " \"" + text +
                                     "\": \"none\" is no device that could have it"};
    }
    return {};
}

Result<void> check_mac(const std::string& text)
{
    if (text.empty())
        return {};
    const auto mac = lkl::MacAddress::parse(text);
    if (!mac)
        return Error{EINVAL, "mac \"" + text + "\": no hardware address, as 02:00:00:00:00:01"};
    if ((mac->bytes[0] & 1) || *mac == lkl::MacAddress{})
        return Error{EINVAL, "mac \"" + text + "\": of a group or nobody, not of a device"};
    return {};
}

Result<void> check_neighbours(const std::string& text)
{
    for (const std::string& one : split(text, ';'))
        if (const auto neighbour = parse_neighbour(one); !neighbour)
            return neighbour.error();
    return {};
}

Result<void> check_prefix(const std::string& what, const std::string& text,
                          const std::string& length, bool v6)
{
    if (text.empty())
        return {};
    const auto prefix = parse_prefix(what, text, length);
    if (!prefix)
        return prefix.error();
    if (prefix->address.is_v6() != v6)
        return Error{EINVAL, what + " \"" + text + "\": of the other version of IP"};
    // Alone on its link it reaches nothing, which nobody has meant by leaving out the length.
    if (length.empty() && text.find('/') == std::string::npos)
        return Error{EINVAL, what + " \"" + text +
                                 "\": how long its prefix is has to be said, as " + text +
                                 (v6 ? "/64" : "/24")};
    return {};
}

Result<void> check_address(const std::string& what, const std::string& text, bool v6)
{
    if (text.empty())
        return {};
    const auto address = parse_address(what, text, v6);
    return address ? Result<void>() : Result<void>(address.error());
}

Result<void> check_name_servers(const std::string& text)
{
    for (const std::string& one : split(text, ','))
        if (!lkl::IpAddress::parse(one))
            return Error{EINVAL, "nameserver \"" + one + "\": no address"};
    return {};
}

Result<void> check_sysctls(const std::string& text)
{
    for (const std::string& one : split(text, ';'))
        if (cut(one, "=|").second.empty())
            return Error{EINVAL, "sysctl \"" + one + "\": no value"};
    return {};
}

Result<void> check_number(const std::string& what, const std::string& text, unsigned least,
                          unsigned most)
{
    if (text.empty())
        return {};
    const auto number = parse_number(what, text, least, most);
    return number ? Result<void>() : Result<void>(number.error());
}

// The least that IPv6 needs of a link, where there is none of it with less.
Result<void> check_mtu(const Interface& one)
{
    constexpr unsigned least = 68, least_v6 = 1280, most = 65535;
    if (auto checked = check_number("mtu", one.mtu, least, most); !checked || one.ip6.empty())
        return checked;
    if (check_number("mtu", one.mtu, least_v6, most))
        return {};
    return Error{EINVAL,
                 "mtu \"" + one.mtu + "\": IPv6 (ip6 \"" + one.ip6 + "\") needs 1280 at least"};
}

Result<void> check_offload(const Interface& one)
{
    const auto options = device_options(one);
    return options ? Result<void>() : Result<void>(options.error());
}

Result<void> check_images(const Configuration& configuration)
{
    for (const std::string& one : configuration.images) {
        const size_t colon = one.rfind(':');
        if (colon == std::string::npos || colon == 0 || one.substr(colon + 1, 1) != "/")
            return Error{EINVAL, "mount \"" + one + "\": is not IMAGE:DIRECTORY, with a full path"};
        // Calls that are left to the host would reach its files of these names.
        if (!configuration.dispatch.empty() && !is_on(configuration.dispatch))
            return Error{EINVAL, "mount \"" + one +
                                     "\": needs the system calls that \"dispatch\" leaves to "
                                     "the host (--no-dispatch)"};
    }
    return {};
}

Result<void> check_pcap(const Configuration& configuration)
{
    const auto carries = [](const Interface& one) { return one.type != "none"; };
    if (configuration.pcap.empty() ||
        std::any_of(configuration.interfaces.begin(), configuration.interfaces.end(), carries))
        return {};
    return Error{EINVAL, "pcap \"" + configuration.pcap +
                             "\": there is no device whose packets it could have"};
}

// The first of them that fails.
template <typename... Results>
Result<void> all_of(Results&&... results)
{
    Result<void> first;
    ((first ? void(first = std::forward<Results>(results)) : void()), ...);
    return first;
}

Result<void> check_interface(const Interface& one)
{
    return all_of(check_device(one.type, one.parameter), check_mac(one.mac),
                  check_prefix("ip", one.ip, one.mask_length, false),
                  check_prefix("ip6", one.ip6, one.mask_length6, true),
                  check_address("gateway", one.gateway, false),
                  check_address("gateway6", one.gateway6, true), check_mtu(one), check_offload(one),
                  check_neighbours(one.neighbours), check_none(one));
}

}  // namespace

Result<void> check(const Configuration& configuration)
{
    for (const Interface& one : configuration.interfaces)
        if (auto checked = check_interface(one); !checked)
            return checked;
    return all_of(check_address("gateway", configuration.gateway, false),
                  check_address("gateway6", configuration.gateway6, true),
                  check_name_servers(configuration.nameserver), check_sysctls(configuration.sysctl),
                  check_images(configuration), check_pcap(configuration));
}

}  // namespace lkl::config
