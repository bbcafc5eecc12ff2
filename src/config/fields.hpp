// SPDX-License-Identifier: GPL-2.0-only
// Every setting that is one text, with its key in JSON and its variable, behind
// LKL_HIJACK_; null: it has none.
#pragma once

#include "config/configuration.hpp"

namespace lkl::config {

template <typename Owner>
struct Field {
    const char* key;
    const char* variable;
    std::string Owner::*text;
    Origin from = Origin::user;  // launcher: nobody else may say it
};

template <typename Owner>
constexpr bool may_say(Origin origin, const Field<Owner>& field)
{
    return origin == Origin::launcher || field.from == Origin::user;
}

// LKL_HIJACK_NET_TAP is not here: it is the type and the parameter in one.
inline constexpr Field<Interface> interface_fields[] = {
    {"type", "NET_IFTYPE", &Interface::type},
    {"param", "NET_IFPARAMS", &Interface::parameter},
    {"dhcp", nullptr, &Interface::dhcp},
    {"mtu", "NET_MTU", &Interface::mtu},
    {"mac", "NET_MAC", &Interface::mac},
    {"ip", "NET_IP", &Interface::ip},
    {"masklen", "NET_NETMASK_LEN", &Interface::mask_length},
    {"ipv6", "NET_IPV6", &Interface::ip6},
    {"masklen6", "NET_NETMASK6_LEN", &Interface::mask_length6},
    {"ifgateway", "NET_IFGATEWAY", &Interface::gateway},
    {"ifgateway6", "NET_IFGATEWAY6", &Interface::gateway6},
    {"neigh", "NET_NEIGHBOR", &Interface::neighbours},
    {"qdisc", "NET_QDISC", &Interface::qdisc},
    {"offload", "OFFLOAD", &Interface::offload},
    {"descriptor", nullptr, &Interface::descriptor, Origin::launcher},
};

inline constexpr Field<Configuration> global_fields[] = {
    {"gateway", "NET_GATEWAY", &Configuration::gateway},
    {"gateway6", "NET_GATEWAY6", &Configuration::gateway6},
    {"sysctl", "SYSCTL", &Configuration::sysctl},
    {"boot_cmdline", "BOOT_CMDLINE", &Configuration::boot_cmdline},
    {"mount", "MOUNT", &Configuration::mount},
    {"debug", "DEBUG", &Configuration::debug},
    {"dump", "DUMP", &Configuration::dump},
    {"singlecpu", "SINGLE_CPU", &Configuration::single_cpu},
    {"delay_main", nullptr, &Configuration::delay_main},
    {"nameserver", nullptr, &Configuration::nameserver},
    {"congestion", nullptr, &Configuration::congestion},
    {"pcap", nullptr, &Configuration::pcap},
    {"dispatch", nullptr, &Configuration::dispatch},
};

}  // namespace lkl::config
