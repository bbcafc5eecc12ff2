// SPDX-License-Identifier: GPL-2.0-only
// Peer: what the other end of the wire has seen of the kernel, so that frames fit to it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <lkl/ip_address.hpp>

#include "packet.hpp"

namespace lkl::fuzz {

// Sequence numbers of TCP cannot be guessed. In an input they count from those that the
// peer would send: 0 is the next byte that the kernel waits for, and the acknowledgement
// of all it has sent.
//
// A value: a copy is the peer at a moment. One thread.
class Peer {
public:
    // Looks at a frame of the kernel.
    void note(std::span<const uint8_t> frame);

    // Turns a frame of an input into one that the kernel takes for its own: the address
    // of its interface, unless it goes to several; the numbers of TCP.
    void aim(Frame frame, const MacAddress& to) const;
    // The other way round, for a frame that a peer has sent.
    void make_relative(Frame frame) const;

private:
    // A connection, by its ports.
    struct Flow {
        uint16_t kernel_port = 0;  // 0: none
        uint16_t peer_port = 0;
        bool v6 = false;
        uint32_t sent = 0;      // by the kernel: the number after the last
        uint32_t received = 0;  // what it has acknowledged
    };

    void shift(Frame frame, bool forth) const;
    const Flow* find(bool v6, uint16_t kernel_port, uint16_t peer_port) const;

    std::array<Flow, 16> flows_{};
    size_t next_ = 0;  // the one to give up for another
};

}  // namespace lkl::fuzz
