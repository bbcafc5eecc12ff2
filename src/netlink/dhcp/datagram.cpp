// SPDX-License-Identifier: GPL-2.0-only
#include "netlink/dhcp/datagram.hpp"

#include <cstddef>

namespace lkl::dhcp {

namespace {

// RFC 791, section 3.1, and RFC 768.
constexpr size_t least_ip_header = 20;
constexpr size_t udp_header = 8;
constexpr uint8_t udp = 17;
constexpr unsigned fragment = 0x3fff;  // "more fragments", and the offset

unsigned number(std::span<const uint8_t> bytes, size_t at)
{
    return static_cast<unsigned>(bytes[at] << 8 | bytes[at + 1]);
}

}  // namespace

std::span<const uint8_t> payload_for(std::span<const uint8_t> packet, uint16_t port)
{
    if (packet.size() < least_ip_header || packet[0] >> 4 != 4)
        return {};
    const size_t header = size_t{packet[0] & 15u} * 4;
    const size_t whole = number(packet, 2);
    if (header < least_ip_header || whole < header + udp_header || whole > packet.size() ||
        packet[9] != udp || (number(packet, 6) & fragment) != 0)
        return {};
    const auto datagram = packet.subspan(header, whole - header);
    const size_t length = number(datagram, 4);
    if (number(datagram, 2) != port || length < udp_header || length > datagram.size())
        return {};
    return datagram.subspan(udp_header, length - udp_header);
}

}  // namespace lkl::dhcp
