// SPDX-License-Identifier: GPL-2.0-only
#include "packetdrill/flags.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "capi/command_line.hpp"
#include "config/lists.hpp"

namespace packetdrill {

namespace {

using lkl::IpAddress;
using lkl::IpPrefix;

std::optional<uint32_t> number(std::string_view text)
{
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

bool set_switch(bool& target, std::string_view value, std::string_view on, std::string_view off)
{
    target = value == on;
    return value == on || value == off;
}

template <typename T>
bool append(std::vector<T>& all, std::string_view value)
{
    const auto parsed = T::parse(value);
    if (parsed)
        all.push_back(*parsed);
    return parsed.has_value();
}

bool set_memory(Flags& flags, const std::string& value)
{
    const auto options = lkl::capi::parse_command_line("mem=" + value);
    if (options)
        flags.memory = options->memory;
    return options.has_value();
}

bool set_number(Flags& flags, std::string_view key, std::string_view value)
{
    const auto parsed = number(value);
    if (!parsed)
        return false;
    if (key == "mtu")
        flags.mtu = *parsed;
    else
        flags.timeout = std::chrono::seconds(*parsed);
    return true;
}

bool set_sysctl(Flags& flags, std::string_view value)
{
    auto setting = lkl::config::cut(value, "=");
    const bool complete = !setting.first.empty() && setting.first.size() < value.size();
    flags.sysctls.push_back(std::move(setting));
    return complete;
}

bool set(Flags& flags, const std::string& key, const std::string& value)
{
    if (key == "mem")
        return set_memory(flags, value);
    if (key == "log")
        flags.log = value;
    else if (key == "address")
        return append(flags.addresses, value);
    else if (key == "gateway")
        return append(flags.gateways, value);
    else if (key == "remote")
        return append(flags.remotes, value);
    else if (key == "qdisc")
        flags.qdisc = value;
    else if (key == "offload")
        return set_switch(flags.offload, value, "on", "off");
    else if (key == "settings")
        return set_switch(flags.follow_host, value, "host", "own");
    else if (key == "sysctl")
        return set_sysctl(flags, value);
    else if (key == "mtu" || key == "timeout")
        return set_number(flags, key, value);
    else
        return false;
    return !value.empty();
}

bool is_v6(const IpAddress& address)
{
    return address.is_v6();
}

bool is_v6(const IpPrefix& prefix)
{
    return prefix.address.is_v6();
}

// Each family that has none gets the default.
template <typename T>
void complete(std::vector<T>& all, std::string_view v4, std::string_view v6)
{
    const auto has = [&](bool six) {
        return std::any_of(all.begin(), all.end(),
                           [six](const T& one) { return is_v6(one) == six; });
    };
    const bool has4 = has(false);
    const bool has6 = has(true);
    if (!has4)
        append(all, v4);
    if (!has6)
        append(all, v6);
}

}  // namespace

lkl::Result<Flags> parse_flags(std::string_view text)
{
    Flags flags;
    for (const std::string& word : lkl::config::split(text, ',')) {
        const auto [key, value] = lkl::config::cut(word, "=");
        if (!set(flags, key, value))
            return lkl::Error{EINVAL, "--so_flags: " + word + ": not understood"};
    }
    complete(flags.addresses, "192.168.0.2/16", "fd3d:fa7b:d17d::/48");
    complete(flags.gateways, "192.168.0.1", "fd3d:fa7b:d17d:8888::");
    complete(flags.remotes, "192.0.2.0/24", "2001:db8::/32");
    return flags;
}

}  // namespace packetdrill
