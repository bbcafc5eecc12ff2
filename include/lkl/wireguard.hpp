// SPDX-License-Identifier: GPL-2.0-only
// WireGuard interfaces (made by Netlink::create_wireguard()): keys, port and peers.
// Addresses, routes and "up" are those of any interface.
//
// The functions take a Netlink of LKL_NETLINK_GENERIC, in the interface's namespace:
//
//     auto generic = lkl::Netlink::open(kernel, LKL_NETLINK_GENERIC);
//     lkl::WireGuard tunnel;
//     tunnel.private_key =
//     *lkl::WireGuardKey::parse("yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=");
//     tunnel.peers.push_back({.public_key = peer_key, .allowed = {*lkl::IpPrefix::parse("::/0")}});
//     lkl::set_wireguard(*generic, index, tunnel);
//
// Keys may be made and read by any thread at any time; the rest is for the thread that has
// the Netlink.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/ip_address.hpp>
#include <lkl/netlink.hpp>
#include <lkl/result.hpp>

namespace lkl {

// 32 bytes, whose text form is base64.
struct WireGuardKey {
    std::array<uint8_t, 32> bytes{};

    // EINVAL: not base64 of 32 bytes. The Error does not repeat it, since it may be secret.
    static Result<WireGuardKey> parse(std::string_view base64);
    // A new private or preshared key, of the kernel's random numbers. Its public key is
    // what wireguard() tells of an interface that has it. Errors: those of any system call.
    static Result<WireGuardKey> generate(Kernel& kernel);
    std::string text() const;

    friend auto operator<=>(const WireGuardKey&, const WireGuardKey&) = default;
};

struct WireGuardEndpoint {
    IpAddress address;
    uint16_t port = 0;

    friend auto operator<=>(const WireGuardEndpoint&, const WireGuardEndpoint&) = default;
};

struct WireGuardPeer {
    WireGuardKey public_key;
    std::optional<WireGuardKey> preshared_key = {};
    std::optional<WireGuardEndpoint> endpoint = {};  // none: that of its first packet
    std::vector<IpPrefix> allowed = {};  // what it may send from, and what is sent to it
    uint16_t keepalive = 0;              // seconds between packets that keep the way open; 0: none
    // What is told, and not set.
    int64_t last_handshake = 0;  // seconds since 1970; 0: none so far
    uint64_t received_bytes = 0;
    uint64_t sent_bytes = 0;
};

struct WireGuard {
    std::optional<WireGuardKey> private_key = {};  // none: it can do nothing
    std::optional<WireGuardKey> public_key = {};   // what is told, and not set
    uint16_t port = 0;                             // UDP; 0: the kernel chooses one
    uint32_t mark = 0;                             // of the packets outside of the tunnel
    std::vector<WireGuardPeer> peers = {};
};

// Errors of both: ENODEV (no such interface), EOPNOTSUPP (it is not a WireGuard one), EPERM,
// ENOENT (the kernel has no WireGuard).

// Gives the interface exactly this configuration. EMSGSIZE: a peer with some 2,000 or more
// prefixes; the interface then has the peers before that one.
Result<void> set_wireguard(Netlink& generic, int index, const WireGuard& wireguard);
// What it has, keys included. EAGAIN: it changes all the time.
Result<WireGuard> wireguard(Netlink& generic, int index);

}  // namespace lkl
