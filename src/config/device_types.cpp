// SPDX-License-Identifier: GPL-2.0-only
#include "config/device_types.hpp"

#include <algorithm>
#include <cerrno>

#include <net/if.h>

#include "config/addresses.hpp"
#include "config/lists.hpp"

namespace lkl::config {

namespace {

using lkl::Error;
using lkl::Result;

constexpr unsigned last_port = 65535;
constexpr unsigned last_descriptor = 1 << 20;

template <typename Parsed>
Result<void> verdict(const Result<Parsed>& parsed)
{
    return parsed ? Result<void>() : Result<void>(parsed.error());
}

// As the host's kernel takes it; a tap's may have a %d in it.
Result<void> check_name(const std::string& name)
{
    if (name.size() >= IFNAMSIZ)
        return Error{EINVAL, "\"" + name + "\": longer than a name of an interface can be (15)"};
    if (name == "." || name == ".." || name.find_first_of("/: \t\n\v\f\r") != name.npos)
        return Error{EINVAL, "\"" + name + "\": no name of an interface"};
    return {};
}

struct Type {
    const char* name;
    const char* parameter;  // what has to be given; null: it may be left out
    Result<void> (*check)(const std::string& parameter) = nullptr;
};
constexpr Type types[] = {
    {"tap", nullptr, check_name},
    {"macvtap", "a name, or a path as /dev/tap4",
     [](const std::string& name) {
         return name.find('/') == name.npos ? check_name(name) : Result<void>();
     }},
    {"raw", "the name of an interface", check_name},
    {"pipe", "READ|WRITE, two fifos",
     [](const std::string& parameter) { return verdict(parse_pipes(parameter)); }},
    {"socket", "the number of a descriptor",
     [](const std::string& parameter) { return verdict(parse_descriptor(parameter)); }},
    {"vde", "the directory of a switch, or a URL"},
    {"passt", nullptr},
    {"slirp", nullptr,
     [](const std::string& parameter) { return verdict(parse_slirp(parameter)); }},
    {"none", nullptr,
     [](const std::string& parameter) {
         return parameter.empty() ? Result<void>() : Error{EINVAL, "it has no parameter"};
     }},
};

std::string all_types()
{
    std::string text;
    for (const Type& type : types)
        text += (text.empty() ? "" : ", ") + std::string(type.name);
    return " (" + text + ")";
}

Result<uint16_t> parse_port(const std::string& text)
{
    const auto port = parse_number("port", text, 1, last_port);
    if (!port)
        return port.error();
    return static_cast<uint16_t>(*port);
}

// "tcp:HOST_ADDRESS:HOST_PORT-:PORT"
Result<lkl::SlirpOptions::Forward> parse_forward(const std::string& text)
{
    const auto [protocol, ends] = cut(text, ":");
    const auto [host, guest] = cut(ends, "-");
    const auto [address, host_port] = cut(host, ":");
    const auto [guest_address, guest_port] = cut(guest, ":");
    if ((protocol != "tcp" && protocol != "udp") || !guest_address.empty())
        return Error{EINVAL, "hostfwd \"" + text + "\": is not tcp:ADDRESS:PORT-:PORT"};
    lkl::SlirpOptions::Forward forward;
    forward.udp = protocol == "udp";
    if (!address.empty()) {
        if (const auto parsed = parse_address("hostfwd", address, false); !parsed)
            return parsed.error();
        forward.host_address = address;
    }
    const auto from = parse_port(host_port);
    if (!from)
        return from.error();
    const auto to = parse_port(guest_port);
    if (!to)
        return to.error();
    forward.host_port = *from;
    forward.port = *to;
    return forward;
}

}  // namespace

Result<void> check_device(const std::string& type, const std::string& parameter)
{
    if (type.empty())
        return Error{EINVAL, "net: no type of device" + all_types()};
    // An established type, which nobody should look for a mistake in.
    if (type == "dpdk")
        return Error{EINVAL, "net dpdk: not built in" + all_types()};
    const auto* const known = std::find_if(std::begin(types), std::end(types),
                                           [&](const Type& one) { return type == one.name; });
    if (known == std::end(types))
        return Error{EINVAL, "net " + type + ": no such type of device" + all_types()};
    if (parameter.empty() && known->parameter)
        return Error{EINVAL, "net " + type + ": needs a parameter: " + known->parameter};
    if (!known->check)
        return {};
    auto checked = known->check(parameter);
    if (!checked)
        return Error{EINVAL, "net " + type + ": " + checked.error().what};
    return {};
}

bool wants_dhcp(const Interface& interface)
{
    if (!interface.dhcp.empty())
        return is_on(interface.dhcp);
    return (interface.type == "passt" || interface.type == "slirp") && interface.ip.empty() &&
           interface.ip6.empty();
}

Result<std::pair<std::string, std::string>> parse_pipes(const std::string& parameter)
{
    auto paths = cut(parameter, "|");
    if (paths.first.empty() || paths.second.empty())
        return Error{EINVAL, "\"" + parameter + "\": is not READ|WRITE, two fifos"};
    return paths;
}

Result<int> parse_descriptor(const std::string& parameter)
{
    const auto number = parse_number("descriptor", parameter, 0, last_descriptor);
    if (!number)
        return number.error();
    return static_cast<int>(*number);
}

lkl::PasstOptions parse_passt(const std::string& parameter)
{
    lkl::PasstOptions options;
    if (parameter.starts_with('-'))
        options.arguments = split(parameter, ' ');
    else
        options.socket = parameter;
    return options;
}

Result<lkl::SlirpOptions> parse_slirp(const std::string& parameter)
{
    lkl::SlirpOptions options;
    for (const std::string& word : split(parameter, ',')) {
        const auto [key, value] = cut(word, "=");
        if (key == "restrict" && (value == "on" || value == "off")) {
            options.restricted = value == "on";
        } else if (key == "hostfwd") {
            auto forward = parse_forward(value);
            if (!forward)
                return forward.error();
            options.forwards.push_back(*std::move(forward));
        } else {
            return Error{EINVAL, "\"" + word + "\": is not restrict=on or hostfwd=..."};
        }
    }
    return options;
}

}  // namespace lkl::config
