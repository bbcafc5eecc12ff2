// SPDX-License-Identifier: GPL-2.0-only
// The words of --so_flags, which docs/network.md describes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lkl/ip_address.hpp>
#include <lkl/result.hpp>

namespace packetdrill {

// Where nothing is said, as packetdrill's own run_all.py has it.
struct Flags {
    uint64_t memory = 128ull << 20;
    std::string log;  // path; empty: the kernel's log goes nowhere
    std::vector<lkl::IpPrefix> addresses;
    std::vector<lkl::IpAddress> gateways;
    std::vector<lkl::IpPrefix> remotes;
    uint32_t mtu = 1500;
    std::string qdisc = "pfifo";
    bool offload = true;
    bool follow_host = true;                                   // the host's settings, see there
    std::vector<std::pair<std::string, std::string>> sysctls;  // name, value
    std::chrono::seconds timeout{60};                          // 0: none
};

// "KEY=VALUE,KEY=VALUE"; what is not given for a family is the default. EINVAL: the text
// names the word.
lkl::Result<Flags> parse_flags(std::string_view text);

}  // namespace packetdrill
