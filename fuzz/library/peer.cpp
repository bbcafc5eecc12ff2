// SPDX-License-Identifier: GPL-2.0-only
#include "peer.hpp"

#include <algorithm>

#include <netinet/in.h>

namespace lkl::fuzz {

namespace {

constexpr size_t tcp_size = 20;
constexpr uint8_t flag_fin = 1;
constexpr uint8_t flag_syn = 2;
constexpr uint8_t flag_rst = 4;
constexpr uint8_t flag_ack = 16;

bool is_tcp(std::span<const uint8_t> frame, const Packet& packet)
{
    return packet.protocol == IPPROTO_TCP && !packet.fragment &&
           packet.transport + tcp_size <= frame.size();
}

}  // namespace

const Peer::Flow* Peer::find(bool v6, uint16_t kernel_port, uint16_t peer_port) const
{
    const auto found = std::find_if(flows_.begin(), flows_.end(), [&](const Flow& flow) {
        return flow.kernel_port == kernel_port && flow.peer_port == peer_port && flow.v6 == v6;
    });
    return found == flows_.end() ? nullptr : &*found;
}

void Peer::note(std::span<const uint8_t> frame)
{
    const auto packet = find_packet(frame);
    if (!packet || !is_tcp(frame, *packet))
        return;
    const size_t at = packet->transport;
    const uint8_t flags = frame[at + 13];
    if (flags & flag_rst)
        return;
    const uint16_t kernel_port = get16(frame, at);
    const uint16_t peer_port = get16(frame, at + 2);
    const Flow* const known = find(packet->is_v6(), kernel_port, peer_port);
    const size_t index =
        known ? static_cast<size_t>(known - flows_.data()) : next_++ % flows_.size();
    Flow& flow = flows_[index];
    const bool fresh = !known || (flags & flag_syn);
    flow.kernel_port = kernel_port;
    flow.peer_port = peer_port;
    flow.v6 = packet->is_v6();

    // What follows the headers, without what Ethernet pads short frames with.
    size_t end = frame.size();
    if (packet->is_v4())
        end = std::min(end, packet->network + get16(frame, packet->network + 2));
    const size_t data = at + (frame[at + 12] >> 4u) * size_t{4};
    const auto length = static_cast<uint32_t>(end > data ? end - data : 0);
    const uint32_t after =
        get32(frame, at + 4) + length + ((flags & flag_syn) ? 1 : 0) + ((flags & flag_fin) ? 1 : 0);
    // Not what is sent once more.
    if (fresh || static_cast<int32_t>(after - flow.sent) > 0)
        flow.sent = after;
    if (flags & flag_ack)
        flow.received = get32(frame, at + 8);
}

void Peer::shift(Frame frame, bool forth) const
{
    const auto packet = find_packet(frame);
    if (!packet || !is_tcp(frame, *packet))
        return;
    const size_t at = packet->transport;
    const Flow* const flow = find(packet->is_v6(), get16(frame, at + 2), get16(frame, at));
    const uint8_t flags = frame[at + 13];
    if (!flow || ((flags & flag_syn) && !(flags & flag_ack)))
        return;
    put32(frame, at + 4,
          forth ? get32(frame, at + 4) + flow->received : get32(frame, at + 4) - flow->received);
    if (flags & flag_ack)
        put32(frame, at + 8,
              forth ? get32(frame, at + 8) + flow->sent : get32(frame, at + 8) - flow->sent);
}

void Peer::aim(Frame frame, const MacAddress& to) const
{
    if (frame.size() >= to.bytes.size() && !(frame[0] & 1))
        std::copy(to.bytes.begin(), to.bytes.end(), frame.begin());
    shift(frame, true);
}

void Peer::make_relative(Frame frame) const
{
    shift(frame, false);
}

}  // namespace lkl::fuzz
