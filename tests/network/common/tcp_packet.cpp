// SPDX-License-Identifier: GPL-2.0-only
#include "tcp_packet.hpp"

#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>

namespace lkl::test {

namespace {

constexpr size_t word = 4;

// RFC 1071, of bytes in the order of the network.
uint32_t add_up(std::span<const std::byte> bytes, uint32_t sum = 0)
{
    for (size_t i = 0; i < bytes.size(); ++i)
        sum += std::to_integer<uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    return sum;
}

uint16_t checksum(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons(static_cast<uint16_t>(~sum));
}

// With the pseudo header of RFC 9293, 3.1.
uint16_t tcp_checksum(const IpAddress& from, const IpAddress& to, std::span<const std::byte> tcp)
{
    const uint32_t sum =
        add_up(from.bytes()) + add_up(to.bytes()) + IPPROTO_TCP + static_cast<uint32_t>(tcp.size());
    return checksum(add_up(tcp, sum));
}

template <typename T>
std::span<std::byte> bytes_of(T& header)
{
    return std::as_writable_bytes(std::span(&header, 1));
}

void append(std::vector<std::byte>& all, std::span<const std::byte> part)
{
    all.insert(all.end(), part.begin(), part.end());
}

std::vector<std::byte> tcp_bytes(const TcpPacket& packet)
{
    tcphdr header{};
    header.th_sport = htons(packet.from_port);
    header.th_dport = htons(packet.to_port);
    header.th_seq = htonl(packet.sequence);
    header.th_ack = htonl(packet.acknowledged);
    header.th_off = (sizeof header + packet.options.size()) / word & 15;
    header.th_flags = packet.flags;
    header.th_win = htons(packet.window);
    std::vector<std::byte> all;
    append(all, bytes_of(header));
    append(all, std::as_bytes(std::span(packet.options)));
    append(all, std::as_bytes(std::span(packet.data)));
    const uint16_t sum = tcp_checksum(packet.from, packet.to, all);
    std::memcpy(&all[offsetof(tcphdr, th_sum)], &sum, sizeof sum);
    return all;
}

std::vector<std::byte> ip_header(const TcpPacket& packet, size_t payload)
{
    std::vector<std::byte> all;
    if (packet.from.is_v6()) {
        ip6_hdr header{};
        header.ip6_flow = htonl(6u << 28);
        header.ip6_plen = htons(static_cast<uint16_t>(payload));
        header.ip6_nxt = IPPROTO_TCP;
        header.ip6_hlim = 64;
        std::memcpy(&header.ip6_src, packet.from.bytes().data(), sizeof header.ip6_src);
        std::memcpy(&header.ip6_dst, packet.to.bytes().data(), sizeof header.ip6_dst);
        append(all, bytes_of(header));
        return all;
    }
    iphdr header{};
    header.version = 4;
    header.ihl = sizeof header / word;
    header.tot_len = htons(static_cast<uint16_t>(sizeof header + payload));
    header.ttl = 64;
    header.protocol = IPPROTO_TCP;
    std::memcpy(&header.saddr, packet.from.bytes().data(), sizeof header.saddr);
    std::memcpy(&header.daddr, packet.to.bytes().data(), sizeof header.daddr);
    header.check = checksum(add_up(bytes_of(header)));
    append(all, bytes_of(header));
    return all;
}

// What is behind the header of IP; none: it is not TCP, or lengths contradict.
std::optional<std::span<const std::byte>> read_ip(std::span<const std::byte> packet,
                                                  TcpPacket& into)
{
    iphdr four;
    ip6_hdr six;
    if (packet.size() < sizeof four)
        return std::nullopt;
    std::memcpy(&four, packet.data(), sizeof four);
    if (four.version == 4) {
        if (four.ihl != sizeof four / word || ntohs(four.tot_len) != packet.size() ||
            four.protocol != IPPROTO_TCP || checksum(add_up(packet.first(sizeof four))) != 0)
            return std::nullopt;
        into.from = IpAddress::from_bytes(packet.subspan(12, 4));
        into.to = IpAddress::from_bytes(packet.subspan(16, 4));
        return packet.subspan(sizeof four);
    }
    if (packet.size() < sizeof six)
        return std::nullopt;
    std::memcpy(&six, packet.data(), sizeof six);
    if (four.version != 6 || ntohs(six.ip6_plen) != packet.size() - sizeof six ||
        six.ip6_nxt != IPPROTO_TCP)
        return std::nullopt;
    into.from = IpAddress::from_bytes(packet.subspan(8, 16));
    into.to = IpAddress::from_bytes(packet.subspan(24, 16));
    return packet.subspan(sizeof six);
}

}  // namespace

bool TcpPacket::has_option(uint8_t kind) const
{
    for (size_t at = 0; at < options.size() && options[at] != TCPOPT_EOL;) {
        if (options[at] == kind)
            return true;
        at += options[at] == TCPOPT_NOP || at + 1 == options.size() || options[at + 1] == 0
                  ? 1
                  : options[at + 1];
    }
    return false;
}

std::vector<std::byte> TcpPacket::bytes() const
{
    const std::vector<std::byte> tcp = tcp_bytes(*this);
    std::vector<std::byte> all = ip_header(*this, tcp.size());
    append(all, tcp);
    return all;
}

std::optional<TcpPacket> read_tcp(std::span<const std::byte> packet, bool check_sum)
{
    TcpPacket result;
    const auto tcp = read_ip(packet, result);
    tcphdr header;
    if (!tcp || tcp->size() < sizeof header)
        return std::nullopt;
    std::memcpy(&header, tcp->data(), sizeof header);
    const size_t start = header.th_off * word;
    if (start < sizeof header || start > tcp->size() ||
        (check_sum && tcp_checksum(result.from, result.to, *tcp) != 0))
        return std::nullopt;
    result.from_port = ntohs(header.th_sport);
    result.to_port = ntohs(header.th_dport);
    result.sequence = ntohl(header.th_seq);
    result.acknowledged = ntohl(header.th_ack);
    result.flags = header.th_flags;
    result.window = ntohs(header.th_win);
    const auto* const at = reinterpret_cast<const char*>(tcp->data());
    result.options.assign(at + sizeof header, at + start);
    result.data.assign(at + start, tcp->size() - start);
    return result;
}

}  // namespace lkl::test
