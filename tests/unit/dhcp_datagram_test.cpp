// SPDX-License-Identifier: GPL-2.0-only
// UDP that a DHCP client finds in packets, good and bad.
#include "netlink/dhcp/datagram.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace {

using Bytes = std::vector<uint8_t>;
using lkl::dhcp::payload_for;

// "ab" from port 67 to port 68, and two bytes of padding behind it.
const Bytes good{0x45, 0, 0, 30, 0, 0,  0x40, 0,  64, 17, 0, 0, 192, 0,   2, 1,
                 192,  0, 2, 77, 0, 67, 0,    68, 0,  10, 0, 0, 'a', 'b', 0, 0};

Bytes found(const Bytes& packet)
{
    const auto payload = payload_for(packet, 68);
    return {payload.begin(), payload.end()};
}

Bytes with(size_t at, uint8_t value)
{
    Bytes packet = good;
    packet[at] = value;
    return packet;
}

TEST(DhcpDatagram, ThePayloadIsFoundWithoutPadding)
{
    EXPECT_EQ(found(good), (Bytes{'a', 'b'}));
    EXPECT_TRUE(payload_for(good, 67).empty());
}

TEST(DhcpDatagram, OptionsOfTheHeaderAreSkipped)
{
    Bytes packet = good;
    packet.insert(packet.begin() + 20, {1, 1, 1, 0});
    packet[0] = 0x46;
    packet[3] = 34;
    EXPECT_EQ(found(packet), (Bytes{'a', 'b'}));
}

TEST(DhcpDatagram, WhatMakesNoSenseIsNothing)
{
    for (const auto& [at, value] : {std::pair<size_t, uint8_t>{0, 0x65},  // IPv6
                                    {0, 0x44},                            // a header too short
                                    {0, 0x4f},                            // longer than the packet
                                    {3, 200},                             // longer than what came
                                    {3, 27},                              // too short for UDP
                                    {6, 0x20},                            // a fragment
                                    {7, 1},                               // its middle
                                    {9, 6},                               // TCP
                                    {25, 7},                              // UDP without its header
                                    {25, 11}})                            // longer than the packet
        EXPECT_EQ(found(with(at, value)), Bytes()) << at << " is " << int{value};
    for (size_t size = 0; size < 30; ++size)
        EXPECT_EQ(found(Bytes(good.begin(), good.begin() + static_cast<long>(size))), Bytes());
}

}  // namespace
