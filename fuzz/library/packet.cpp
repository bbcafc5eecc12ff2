// SPDX-License-Identifier: GPL-2.0-only
#include "packet.hpp"

#include <algorithm>

#include <netinet/in.h>

namespace lkl::fuzz {

namespace {

constexpr size_t ethernet_size = 14;
constexpr size_t v4_size = 20;
constexpr size_t v6_size = 40;
constexpr size_t udp_size = 8;

constexpr uint16_t type_v4 = 0x0800;
constexpr uint16_t type_v6 = 0x86dd;

// A tunnel in a tunnel is enough.
constexpr int deepest = 3;

void find_v4(std::span<const uint8_t> frame, Packet& packet)
{
    const size_t at = packet.network;
    if (frame.size() < at + v4_size)
        return;
    const size_t size = std::max<size_t>((frame[at] & 0xfu) * size_t{4}, v4_size);
    if (frame.size() < at + size)
        return;
    packet.protocol = frame[at + 9];
    packet.transport = at + size;
    packet.fragment = (get16(frame, at + 6) & 0x3fff) != 0;
}

// Past the headers that lie between (RFC 8200, section 4).
void find_v6(std::span<const uint8_t> frame, Packet& packet)
{
    size_t at = packet.network;
    if (frame.size() < at + v6_size)
        return;
    uint8_t next = frame[at + 6];
    at += v6_size;
    while (at + 8 <= frame.size()) {
        if (next == IPPROTO_FRAGMENT) {
            packet.fragment = (get16(frame, at + 2) & 0xfff9) != 0;
            next = frame[at];
            at += 8;
        } else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
            next = frame[at];
            at += (frame[at + 1] + size_t{1}) * 8;
        } else {
            break;
        }
    }
    if (at > frame.size())
        return;
    packet.protocol = next;
    packet.transport = at;
}

void find_inside(std::span<const uint8_t> frame, Packet& packet)
{
    if (packet.is_v4())
        find_v4(frame, packet);
    else if (packet.is_v6())
        find_v6(frame, packet);
}

// The packet that one of these carries, if it does.
std::optional<Packet> find_inner(std::span<const uint8_t> frame, const Packet& outer)
{
    if (!outer.protocol || outer.fragment ||
        (*outer.protocol != IPPROTO_IPIP && *outer.protocol != IPPROTO_IPV6))
        return std::nullopt;
    Packet inner;
    inner.type = *outer.protocol == IPPROTO_IPIP ? type_v4 : type_v6;
    inner.network = outer.transport;
    find_inside(frame, inner);
    return inner;
}

// RFC 1071; the sum so far, and the bytes from an even place on.
uint32_t add(uint32_t sum, std::span<const uint8_t> bytes)
{
    for (size_t i = 0; i < bytes.size(); ++i)
        sum += i % 2 == 0 ? bytes[i] << 8u : bytes[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

void put_sum(Frame frame, size_t at, size_t from, size_t to, uint32_t start)
{
    if (at + 2 > to)
        return;
    put16(frame, at, 0);
    const auto value = static_cast<uint16_t>(~add(start, frame.subspan(from, to - from)));
    put16(frame, at, value);
}

// That of the addresses, the protocol and the length.
uint32_t pseudo_header(std::span<const uint8_t> frame, const Packet& packet)
{
    const size_t addresses = packet.is_v4() ? packet.network + 12 : packet.network + 8;
    const size_t length = frame.size() - packet.transport;
    uint32_t sum = add(0, frame.subspan(addresses, packet.is_v4() ? 8 : 32));
    sum += *packet.protocol + static_cast<uint32_t>(length & 0xffff);
    return sum;
}

void repair_sums(Frame frame, const Packet& packet, int depth)
{
    if (!packet.protocol)
        return;
    if (const auto inner = find_inner(frame, packet); inner && depth < deepest)
        repair_sums(frame, *inner, depth + 1);
    const size_t at = packet.transport;
    if (!packet.fragment) {
        switch (*packet.protocol) {
        case IPPROTO_TCP:
            put_sum(frame, at + 16, at, frame.size(), pseudo_header(frame, packet));
            break;
        case IPPROTO_UDP:
            put_sum(frame, at + 6, at, frame.size(), pseudo_header(frame, packet));
            break;
        case IPPROTO_ICMPV6:
            put_sum(frame, at + 2, at, frame.size(), pseudo_header(frame, packet));
            break;
        case IPPROTO_ICMP:
        case IPPROTO_IGMP:
            put_sum(frame, at + 2, at, frame.size(), 0);
            break;
        default:
            break;
        }
    }
    if (packet.is_v4())
        put_sum(frame, packet.network + 10, packet.network, packet.transport, 0);
}

void repair_lengths(Frame frame, const Packet& packet, int depth)
{
    if (!packet.protocol)
        return;
    const size_t all = frame.size() - packet.network;
    if (packet.is_v4())
        put16(frame, packet.network + 2, static_cast<uint16_t>(all));
    else
        put16(frame, packet.network + 4, static_cast<uint16_t>(all - v6_size));
    if (*packet.protocol == IPPROTO_UDP && !packet.fragment &&
        frame.size() >= packet.transport + udp_size)
        put16(frame, packet.transport + 4, static_cast<uint16_t>(frame.size() - packet.transport));
    if (const auto inner = find_inner(frame, packet); inner && depth < deepest)
        repair_lengths(frame, *inner, depth + 1);
}

}  // namespace

uint16_t get16(std::span<const uint8_t> frame, size_t at)
{
    return static_cast<uint16_t>(frame[at] << 8 | frame[at + 1]);
}

uint32_t get32(std::span<const uint8_t> frame, size_t at)
{
    return static_cast<uint32_t>(get16(frame, at)) << 16 | get16(frame, at + 2);
}

void put16(Frame frame, size_t at, uint16_t value)
{
    frame[at] = static_cast<uint8_t>(value >> 8);
    frame[at + 1] = static_cast<uint8_t>(value);
}

void put32(Frame frame, size_t at, uint32_t value)
{
    put16(frame, at, static_cast<uint16_t>(value >> 16));
    put16(frame, at + 2, static_cast<uint16_t>(value));
}

std::optional<Packet> find_packet(std::span<const uint8_t> frame)
{
    if (frame.size() < ethernet_size)
        return std::nullopt;
    Packet packet;
    size_t at = ethernet_size - 2;
    packet.type = get16(frame, at);
    for (int tag = 0;
         tag < 2 && (packet.type == 0x8100 || packet.type == 0x88a8) && at + 6 <= frame.size();
         ++tag) {
        at += 4;
        packet.type = get16(frame, at);
    }
    packet.network = at + 2;
    find_inside(frame, packet);
    return packet;
}

void repair_lengths(Frame frame)
{
    if (const auto packet = find_packet(frame))
        repair_lengths(frame, *packet, 0);
}

void repair_sums(Frame frame)
{
    if (const auto packet = find_packet(frame))
        repair_sums(frame, *packet, 0);
}

}  // namespace lkl::fuzz
