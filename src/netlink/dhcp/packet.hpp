// SPDX-License-Identifier: GPL-2.0-only
// Messages of DHCP: RFC 2131, section 2, and RFC 2132 for their options.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <lkl/dhcp.hpp>
#include <lkl/ip_address.hpp>

namespace lkl::dhcp {

enum class Type : uint8_t {
    discover = 1,
    offer = 2,
    request = 3,
    decline = 4,
    ack = 5,
    nak = 6,
    release = 7,
};

// What a client says.
struct Request {
    Type type = Type::discover;
    uint32_t transaction = 0;
    MacAddress mac;
    uint16_t seconds = 0;  // since it began
    IpAddress client;      // its address, when it has one already
    std::optional<IpAddress> requested = {};
    std::optional<IpAddress> server = {};
    std::string host_name = {};
};

std::vector<uint8_t> make(const Request& request);

// What a server says.
struct Reply {
    Type type = Type::offer;
    uint32_t transaction = 0;
    MacAddress mac;
    std::string message;  // why it says no
    DhcpLease lease;
};

// Nothing: it is no message of a DHCP server, or has no address where it needs one.
std::optional<Reply> read(std::span<const uint8_t> bytes);

}  // namespace lkl::dhcp
