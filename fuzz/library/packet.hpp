// SPDX-License-Identifier: GPL-2.0-only
// Ethernet frames: where their headers are, and what of them depends on the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace lkl::fuzz {

using Frame = std::span<uint8_t>;

// Where things are in a frame, offsets in bytes. Only what lies in it as a whole counts.
struct Packet {
    uint16_t type = 0;  // EtherType of what is in it, behind VLAN tags
    size_t network = 0;
    std::optional<uint8_t> protocol;  // IPPROTO_*, of IPv4 and IPv6
    size_t transport = 0;             // the header of `protocol`
    bool fragment = false;            // a part of a packet: the rest is elsewhere

    bool is_v4() const { return type == 0x0800; }
    bool is_v6() const { return type == 0x86dd; }
};

// Empty: shorter than an Ethernet header.
std::optional<Packet> find_packet(std::span<const uint8_t> frame);

uint16_t get16(std::span<const uint8_t> frame, size_t at);  // in the order of the network
uint32_t get32(std::span<const uint8_t> frame, size_t at);
void put16(Frame frame, size_t at, uint16_t value);
void put32(Frame frame, size_t at, uint32_t value);

// Makes lengths (of IPv4, IPv6, UDP) those of the frame. Also those of a packet in a packet.
void repair_lengths(Frame frame);
// Makes checksums (of IPv4, TCP, UDP, ICMP, ICMPv6, IGMP) right, after everything else.
void repair_sums(Frame frame);

}  // namespace lkl::fuzz
