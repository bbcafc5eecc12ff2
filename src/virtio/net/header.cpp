// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/net/header.hpp>

#include <lkl/packet.hpp>

namespace lkl::virtio {

namespace {

struct Pair {
    uint32_t offload;
    uint64_t host;
    uint64_t guest;
};

// Linux offers UDP segmentation for both versions of IP or for none.
constexpr Pair pairs[] = {
    {NetOffload::checksum, net_csum, net_guest_csum},
    {NetOffload::tso4, net_host_tso4, net_guest_tso4},
    {NetOffload::tso6, net_host_tso6, net_guest_tso6},
    {NetOffload::ecn, net_host_ecn, net_guest_ecn},
    {NetOffload::uso, net_host_uso, net_guest_uso4 | net_guest_uso6},
};

uint32_t to_offload(uint64_t features, uint64_t Pair::*side)
{
    uint32_t offload = 0;
    for (const Pair& pair : pairs) {
        if ((features & pair.*side) == pair.*side)
            offload |= pair.offload;
    }
    return offload;
}

uint64_t to_features(uint32_t offload, uint64_t Pair::*side)
{
    uint64_t features = 0;
    // 5.1.3.1: nothing without the checksum, no ECN without TSO.
    if (!(offload & NetOffload::checksum))
        return 0;
    if (!(offload & (NetOffload::tso4 | NetOffload::tso6)))
        offload &= ~NetOffload::ecn;
    for (const Pair& pair : pairs) {
        if (offload & pair.offload)
            features |= pair.*side;
    }
    return features;
}

}  // namespace

uint32_t host_offload(uint64_t features) noexcept
{
    return to_offload(features, &Pair::host);
}
uint32_t guest_offload(uint64_t features) noexcept
{
    return to_offload(features, &Pair::guest);
}
uint64_t host_features(uint32_t offload) noexcept
{
    return to_features(offload, &Pair::host);
}
uint64_t guest_features(uint32_t offload) noexcept
{
    return to_features(offload, &Pair::guest);
}

bool header_agreed(const NetHeader& header, uint32_t offload) noexcept
{
    uint32_t needed = 0;
    if (header.flags & header_needs_csum)
        needed |= NetOffload::checksum;
    if (header.gso_type & gso_ecn)
        needed |= NetOffload::ecn;
    switch (header.gso_type & ~gso_ecn) {
    case gso_none:
        break;
    case gso_tcpv4:
        needed |= NetOffload::tso4;
        break;
    case gso_tcpv6:
        needed |= NetOffload::tso6;
        break;
    case gso_udp_l4:
        needed |= NetOffload::uso;
        break;
    default:
        return false;
    }
    if (header.gso_type != gso_none && header.gso_size == 0)
        return false;
    return (needed & ~offload) == 0;
}

}  // namespace lkl::virtio
