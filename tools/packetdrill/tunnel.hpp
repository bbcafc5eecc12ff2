// SPDX-License-Identifier: GPL-2.0-only
// The interface tun0 of our kernel, whose other end is packetdrill.
#pragma once

#include <cstddef>
#include <span>

#include <lkl/file.hpp>

#include "packetdrill/flags.hpp"

namespace packetdrill {

// Made as packetdrill makes its own on the host: a tun interface with the offloads of an
// Ethernet device, and a packet socket that tells what leaves and when. Of the two, the
// packets that the interface hands over are thrown away.
//
// send() and receive() may be called by one thread each at a time.
class Tunnel {
public:
    static constexpr char name[] = "tun0";

    // In a kernel that has /proc mounted.
    static lkl::Result<Tunnel> make(lkl::Kernel& kernel, const Flags& flags);

    // 0, or a negative errno: EINVAL, it is neither IPv4 nor IPv6.
    long send(std::span<const std::byte> packet) const;
    // Waits for a packet that leaves and returns its length; what does not fit is cut off.
    // -EAGAIN: none within the time that the flags name.
    long receive(std::span<std::byte> room, long long& microseconds) const;

private:
    Tunnel(lkl::Kernel& kernel, lkl::File tun, lkl::File sniffer)
        : kernel_(&kernel), tun_(std::move(tun)), sniffer_(std::move(sniffer))
    {
    }
    void drain() const;

    lkl::Kernel* kernel_;
    lkl::File tun_;
    lkl::File sniffer_;
};

}  // namespace packetdrill
