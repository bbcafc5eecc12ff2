// SPDX-License-Identifier: GPL-2.0-only
// Messages of DHCP servers, good and bad.
#include "netlink/dhcp/packet.hpp"

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace {

using Bytes = std::vector<uint8_t>;
using lkl::dhcp::read;

constexpr size_t at_name = 44, at_file = 108;

Bytes message(const Bytes& options)
{
    Bytes bytes(240);
    bytes[0] = 2;
    const uint8_t yours[] = {192, 0, 2, 77}, cookie[] = {99, 130, 83, 99};
    std::memcpy(bytes.data() + 16, yours, 4);
    std::memcpy(bytes.data() + 236, cookie, 4);
    bytes.insert(bytes.end(), options.begin(), options.end());
    return bytes;
}

const Bytes offer{53, 1, 2, 54, 4, 192, 0, 2, 1, 51, 4, 0, 0, 0, 60};

Bytes operator+(Bytes left, const Bytes& right)
{
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

TEST(DhcpPacket, AnOfferIsRead)
{
    const auto reply =
        read(message(offer + Bytes{1, 4, 255, 255, 240, 0, 58, 4, 0, 0, 0, 20, 255}));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->type, lkl::dhcp::Type::offer);
    EXPECT_EQ(reply->lease.address.text(), "192.0.2.77/20");
    EXPECT_EQ(reply->lease.server.text(), "192.0.2.1");
    EXPECT_EQ(reply->lease.seconds, 60u);
    EXPECT_EQ(reply->lease.renew_after, 20u);
    EXPECT_FALSE(reply->lease.router());
}

TEST(DhcpPacket, OptionsMayBeSplitPaddedAndInOtherFields)
{
    Bytes bytes = message(offer + Bytes{0, 0, 6, 2, 1, 1, 6, 2, 1, 1, 52, 1, 3, 255});
    const Bytes in_file{3, 4, 192, 0, 2, 9, 255}, in_name{15, 3, 'l', 'a', 'n', 255};
    std::memcpy(bytes.data() + at_file, in_file.data(), in_file.size());
    std::memcpy(bytes.data() + at_name, in_name.data(), in_name.size());
    const auto reply = read(bytes);
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->lease.name_servers.size(), 1u);
    EXPECT_EQ(reply->lease.name_servers[0].text(), "1.1.1.1");
    EXPECT_EQ(reply->lease.router()->text(), "192.0.2.9");
    EXPECT_EQ(reply->lease.domain, "lan");
}

// RFC 3442: they count, and not the router.
TEST(DhcpPacket, ClasslessRoutesComeFirst)
{
    const auto reply = read(message(offer + Bytes{3, 4, 192, 0,  2,  9,   121, 14, 0, 192, 0,
                                                  2, 8, 17,  10, 27, 128, 192, 0,  2, 7,   33}));
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->lease.routes.size(), 2u);
    EXPECT_EQ(reply->lease.router()->text(), "192.0.2.8");
    EXPECT_EQ(reply->lease.routes[1].destination.text(), "10.27.128.0/17");
    EXPECT_EQ(reply->lease.routes[1].gateway.text(), "192.0.2.7");
}

TEST(DhcpPacket, WhatIsNoReplyIsNone)
{
    const Bytes good = message(offer);
    ASSERT_TRUE(read(good));
    EXPECT_FALSE(read({}));
    for (const size_t at : {0, 236, 239}) {  // a reply, the cookie
        Bytes bad = good;
        bad[at] ^= 4;
        EXPECT_FALSE(read(bad)) << at;
    }
    EXPECT_FALSE(read(message({255})));
    EXPECT_FALSE(read(message({53, 1, 2, 51, 4, 0, 0, 0, 60})));   // no server
    EXPECT_FALSE(read(message({53, 1, 2, 54, 4, 192, 0, 2, 1})));  // no time
    EXPECT_FALSE(read(message({53, 0, 54, 4, 192, 0, 2, 1, 51, 4, 0, 0, 0, 60})));
    Bytes nobody = good;
    std::memset(nobody.data() + 16, 0, 4);
    EXPECT_FALSE(read(nobody));
    nobody[242] = 6;  // who says no has no address to give
    EXPECT_TRUE(read(nobody));
}

// Every cut and every length of an option; the buffer has no byte to spare, so that a
// sanitizer sees what reads behind it.
TEST(DhcpPacket, CutsAndWrongLengthsAreSurvived)
{
    const Bytes whole =
        message(offer + Bytes{121, 8,  24, 10, 0, 0,  192, 0,   2,  7, 6,   4,  1, 1, 1,
                              1,   26, 2,  5,  0, 12, 1,   'x', 56, 1, 'y', 52, 1, 3, 255});
    int readable = 0;
    for (size_t size = 0; size <= whole.size(); ++size) {
        const auto exact = std::make_unique<uint8_t[]>(size);
        std::copy_n(whole.begin(), size, exact.get());
        readable += read({exact.get(), size}) ? 1 : 0;
    }
    EXPECT_GT(readable, 0);
    for (size_t at = 240; at < whole.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            Bytes changed = whole;
            changed[at] = static_cast<uint8_t>(value);
            (void)read(changed);
        }
    }
}

}  // namespace
