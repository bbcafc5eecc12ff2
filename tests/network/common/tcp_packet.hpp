// SPDX-License-Identifier: GPL-2.0-only
// TCP segments in IPv4 and IPv6 packets, made and read by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <lkl/ip_address.hpp>

namespace lkl::test {

struct TcpPacket {
    static constexpr uint8_t fin = 1;
    static constexpr uint8_t syn = 2;
    static constexpr uint8_t rst = 4;
    static constexpr uint8_t psh = 8;
    static constexpr uint8_t ack_flag = 16;

    IpAddress from;
    IpAddress to;
    uint16_t from_port = 0;
    uint16_t to_port = 0;
    uint32_t sequence = 0;
    uint32_t acknowledged = 0;
    uint8_t flags = 0;
    uint16_t window = 65535;
    std::vector<uint8_t> options;  // a multiple of 4
    std::string data;

    bool has_option(uint8_t kind) const;

    // From the header of IP on, both checksums right.
    std::vector<std::byte> bytes() const;
};

// None: no TCP, a length that contradicts another one, or a wrong checksum.
std::optional<TcpPacket> read_tcp(std::span<const std::byte> packet, bool check_sum = true);

}  // namespace lkl::test
