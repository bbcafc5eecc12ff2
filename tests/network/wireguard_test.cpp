// SPDX-License-Identifier: GPL-2.0-only
// WireGuard between two network namespaces of one kernel.
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <lkl/wireguard.hpp>

#include "network/common/inner_network.hpp"

namespace {

using namespace lkl::test;
using lkl::WireGuard;
using lkl::WireGuardKey;
using lkl::WireGuardPeer;

TEST(WireGuardKeys, AreBase64)
{
    // Keys of RFC 7748, section 6.1, as base64(1) writes them.
    const std::string text = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
    const auto key = must(WireGuardKey::parse(text));
    EXPECT_EQ(key.bytes[0], 0x77);
    EXPECT_EQ(key.bytes[31], 0x2a);
    EXPECT_EQ(key.text(), text);
    for (const char* const bad : {"", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo",
                                  "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp=",
                                  "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCoA",
                                  "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25L-o=",
                                  "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=="}) {
        const auto parsed = WireGuardKey::parse(bad);
        EXPECT_EQ(code_of(parsed), LKL_EINVAL) << bad;
        EXPECT_EQ(error_of(parsed).find("dwdt"), std::string::npos);
    }
}

class Tunnel : public TwoHosts {
protected:
    Tunnel()
    {
        must(net.add_address(near, prefix("10.0.0.1/24")));
        must(far_net.add_address(far, prefix("10.0.0.2/24")));
    }

    lkl::Netlink generic = must(lkl::Netlink::open(kernel, LKL_NETLINK_GENERIC));
    lkl::Netlink far_generic =
        far_away([&] { return must(lkl::Netlink::open(kernel, LKL_NETLINK_GENERIC)); });
    int near_tunnel = must(net.create_wireguard("wg0"));
    int far_tunnel = must(far_net.create_wireguard("wg0"));
};

// The private key is RFC 7748's, and so is the public one that the kernel makes of it.
TEST_F(Tunnel, IsReadAsItWasSet)
{
    WireGuard wanted;
    wanted.private_key = must(WireGuardKey::parse("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="));
    wanted.port = 51820;
    wanted.mark = 7;
    WireGuardPeer peer;
    peer.public_key = must(WireGuardKey::parse("3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="));
    peer.preshared_key = must(WireGuardKey::generate(kernel));
    peer.endpoint = {ip("2001:db8::7"), 4711};
    peer.keepalive = 25;
    // More than fit into one message of the kernel's list.
    for (int i = 0; i < 1500; ++i)
        peer.allowed.push_back(
            prefix("10." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + ".0/24"));
    wanted.peers = {peer, {.public_key = must(WireGuardKey::generate(kernel))}};
    wanted.peers[1].endpoint = {ip("192.0.2.7"), 1};
    ASSERT_EQ(error_of(lkl::set_wireguard(generic, near_tunnel, wanted)), "");

    const WireGuard found = must(lkl::wireguard(generic, near_tunnel));
    EXPECT_EQ(found.private_key->bytes[1], wanted.private_key->bytes[1]);
    EXPECT_EQ(found.public_key->text(), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
    EXPECT_EQ(found.port, 51820);
    EXPECT_EQ(found.mark, 7u);
    ASSERT_EQ(found.peers.size(), 2u);
    for (const WireGuardPeer& one : found.peers) {
        const WireGuardPeer& same = wanted.peers[one.public_key == peer.public_key ? 0 : 1];
        EXPECT_EQ(one.public_key, same.public_key);
        EXPECT_EQ(one.preshared_key, same.preshared_key);
        EXPECT_EQ(one.endpoint, same.endpoint);
        EXPECT_EQ(one.keepalive, same.keepalive);
        EXPECT_EQ(one.allowed.size(), same.allowed.size());
    }
    // Exactly the new one: nothing of before is left.
    wanted.peers.pop_back();
    wanted.peers[0].allowed = {prefix("::/0")};
    wanted.peers[0].preshared_key.reset();
    must(lkl::set_wireguard(generic, near_tunnel, wanted));
    const WireGuard changed = must(lkl::wireguard(generic, near_tunnel));
    ASSERT_EQ(changed.peers.size(), 1u);
    EXPECT_EQ(changed.peers[0].allowed, wanted.peers[0].allowed);
    EXPECT_FALSE(changed.peers[0].preshared_key);

    EXPECT_EQ(code_of(lkl::set_wireguard(generic, near, wanted)), LKL_EOPNOTSUPP);
    EXPECT_EQ(code_of(lkl::wireguard(generic, 999)), LKL_ENODEV);
    EXPECT_EQ(error_of(generic.generic_family("warp")),
              "find netlink family warp: No such file or directory");
}

TEST_F(Tunnel, CarriesUdpAndTcp)
{
    // Each side gets a key; the kernel says which public key is its own.
    WireGuard near_side;
    near_side.private_key = must(WireGuardKey::generate(kernel));
    near_side.port = 1001;
    WireGuard far_side;
    far_side.private_key = must(WireGuardKey::generate(kernel));
    far_side.port = 1002;
    must(lkl::set_wireguard(generic, near_tunnel, near_side));
    must(lkl::set_wireguard(far_generic, far_tunnel, far_side));
    WireGuardPeer far_peer;
    far_peer.public_key = *must(lkl::wireguard(far_generic, far_tunnel)).public_key;
    far_peer.endpoint = {ip("10.0.0.2"), 1002};
    far_peer.allowed = {prefix("10.9.0.2/32")};
    WireGuardPeer near_peer;
    near_peer.public_key = *must(lkl::wireguard(generic, near_tunnel)).public_key;
    near_peer.allowed = {prefix("10.9.0.1/32")};
    near_side.peers = {far_peer};
    far_side.peers = {near_peer};  // which has no endpoint: it will be known by its packets
    must(lkl::set_wireguard(generic, near_tunnel, near_side));
    must(lkl::set_wireguard(far_generic, far_tunnel, far_side));
    must(net.add_address(near_tunnel, prefix("10.9.0.1/24")));
    must(far_net.add_address(far_tunnel, prefix("10.9.0.2/24")));
    must(net.set_up(near_tunnel));
    must(far_net.set_up(far_tunnel));

    EXPECT_TRUE(round_trip(ip("10.9.0.1"), ip("10.9.0.2")));

    auto listener = far_away([&] { return Socket(kernel, LKL_AF_INET, LKL_SOCK_STREAM); });
    ASSERT_EQ(listener.bind(ip("10.9.0.2"), 80), 0);
    ASSERT_EQ(listener.listen(), 0);
    constexpr size_t size = 1 << 20;
    std::string sent(size, '\0');
    for (size_t i = 0; i < size; ++i)
        sent[i] = static_cast<char>(i * 7 + i / 251);
    std::thread sender([&] {
        Socket client(kernel, LKL_AF_INET, LKL_SOCK_STREAM);
        ASSERT_EQ(client.connect(ip("10.9.0.2"), 80), 0);
        size_t done = 0;
        while (done < size) {
            const long n = client.send(sent.data() + done, size - done);
            ASSERT_GT(n, 0);
            done += static_cast<size_t>(n);
        }
    });
    auto server = listener.accept();
    ASSERT_TRUE(server);
    std::string received;
    while (received.size() < size) {
        const std::string part = server->receive_text();
        ASSERT_FALSE(part.empty());
        received += part;
    }
    sender.join();
    EXPECT_EQ(received, sent);

    // It went through the tunnel, and not beside it.
    const WireGuardPeer seen = must(lkl::wireguard(far_generic, far_tunnel)).peers.at(0);
    EXPECT_GT(seen.received_bytes, size);
    EXPECT_EQ(seen.endpoint, (lkl::WireGuardEndpoint{ip("10.0.0.1"), 1001}));
    EXPECT_GT(seen.last_handshake, 0);

    // A peer with another key is not heard.
    near_side.private_key = must(WireGuardKey::generate(kernel));
    must(lkl::set_wireguard(generic, near_tunnel, near_side));
    EXPECT_FALSE(round_trip(ip("10.9.0.1"), ip("10.9.0.2"), 1));
}

}  // namespace
