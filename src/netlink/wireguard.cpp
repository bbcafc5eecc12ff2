// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/wireguard.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/genetlink.h>
#include <lkl/linux/in.h>
#include <lkl/linux/in6.h>
#include <lkl/linux/time_types.h>
#include <lkl/linux/wireguard.h>

#include "file/error.hpp"
#include "netlink/base64.hpp"
#include "netlink/names.hpp"
#include "netlink/socket_address.hpp"

namespace lkl {

namespace {

// A list's elements have no types of their own.
constexpr uint16_t element = LKL_NLA_F_NESTED;

Result<NetlinkMessage> wireguard_message(Netlink& net, uint8_t command, unsigned flags, int index)
{
    const auto family = net.generic_family(LKL_WG_GENL_NAME);
    if (!family)
        return family.error();
    lkl_genlmsghdr head{};
    head.cmd = command;
    head.version = LKL_WG_GENL_VERSION;
    NetlinkMessage message(*family, flags);
    message.put(head).add(LKL_WGDEVICE_A_IFINDEX, index);
    return message;
}

void add_allowed(NetlinkMessage& list, const IpPrefix& prefix)
{
    list.nest(element, [&](NetlinkMessage& one) {
        one.add(LKL_WGALLOWEDIP_A_FAMILY, static_cast<uint16_t>(prefix.address.family()));
        one.add_address(LKL_WGALLOWEDIP_A_IPADDR, prefix.address);
        one.add(LKL_WGALLOWEDIP_A_CIDR_MASK, prefix.length);
    });
}

void add_peer(NetlinkMessage& peers, const WireGuardPeer& peer)
{
    peers.nest(element, [&](NetlinkMessage& one) {
        one.add(LKL_WGPEER_A_PUBLIC_KEY, peer.public_key);
        one.add(LKL_WGPEER_A_FLAGS, uint32_t{LKL_WGPEER_F_REPLACE_ALLOWEDIPS});
        if (peer.preshared_key)
            one.add(LKL_WGPEER_A_PRESHARED_KEY, *peer.preshared_key);
        if (peer.endpoint) {
            const netlink::SocketAddress name(peer.endpoint->address, peer.endpoint->port);
            one.add_bytes(LKL_WGPEER_A_ENDPOINT, name.bytes());
        }
        one.add(LKL_WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, peer.keepalive);
        one.nest(LKL_WGPEER_A_ALLOWEDIPS | LKL_NLA_F_NESTED, [&](NetlinkMessage& list) {
            for (const IpPrefix& prefix : peer.allowed)
                add_allowed(list, prefix);
        });
    });
}

// A key of zeroes is none.
std::optional<WireGuardKey> key_of(const NetlinkValue& value)
{
    auto key = value.get<WireGuardKey>();
    return key == WireGuardKey{} ? std::nullopt : key;
}

WireGuardPeer read_peer(const NetlinkAttributes& attributes)
{
    WireGuardPeer peer;
    peer.public_key = attributes[LKL_WGPEER_A_PUBLIC_KEY].get_or(WireGuardKey{});
    peer.preshared_key = key_of(attributes[LKL_WGPEER_A_PRESHARED_KEY]);
    if (const auto name = netlink::read_socket_address(attributes[LKL_WGPEER_A_ENDPOINT].bytes()))
        peer.endpoint = WireGuardEndpoint{name->first, name->second};
    peer.keepalive = attributes[LKL_WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL].get_or<uint16_t>(0);
    peer.last_handshake =
        attributes[LKL_WGPEER_A_LAST_HANDSHAKE_TIME].get_or(__lkl__kernel_timespec{}).tv_sec;
    peer.received_bytes = attributes[LKL_WGPEER_A_RX_BYTES].get_or<uint64_t>(0);
    peer.sent_bytes = attributes[LKL_WGPEER_A_TX_BYTES].get_or<uint64_t>(0);
    NetlinkAttributes(attributes[LKL_WGPEER_A_ALLOWEDIPS])
        .for_each([&](uint16_t, const NetlinkValue& one) {
            const NetlinkAttributes allowed(one);
            peer.allowed.push_back({allowed[LKL_WGALLOWEDIP_A_IPADDR].address(),
                                    allowed[LKL_WGALLOWEDIP_A_CIDR_MASK].get_or<uint8_t>(0)});
        });
    return peer;
}

// One of the messages that tell of an interface. A peer that did not fit into the one before
// goes on in the next, with its key and the rest of its prefixes alone.
void read_part(const NetlinkAttributes& attributes, WireGuard& wireguard)
{
    if (const auto key = attributes[LKL_WGDEVICE_A_PRIVATE_KEY])
        wireguard.private_key = key_of(key);
    if (const auto key = attributes[LKL_WGDEVICE_A_PUBLIC_KEY])
        wireguard.public_key = key_of(key);
    wireguard.port = attributes[LKL_WGDEVICE_A_LISTEN_PORT].get_or(wireguard.port);
    wireguard.mark = attributes[LKL_WGDEVICE_A_FWMARK].get_or(wireguard.mark);
    NetlinkAttributes(attributes[LKL_WGDEVICE_A_PEERS])
        .for_each([&](uint16_t, const NetlinkValue& one) {
            WireGuardPeer peer = read_peer(NetlinkAttributes(one));
            auto& peers = wireguard.peers;
            if (!peers.empty() && peers.back().public_key == peer.public_key)
                peers.back().allowed.insert(peers.back().allowed.end(), peer.allowed.begin(),
                                            peer.allowed.end());
            else
                peers.push_back(std::move(peer));
        });
}

}  // namespace

Result<WireGuardKey> WireGuardKey::parse(std::string_view base64)
{
    WireGuardKey key;
    if (!netlink::from_base64(base64, key.bytes))
        return Error{LKL_EINVAL, "a WireGuard key must be 32 bytes in base64"};
    return key;
}

Result<WireGuardKey> WireGuardKey::generate(Kernel& kernel)
{
    WireGuardKey key;
    const long result = kernel.syscall(__lkl__NR_getrandom, key.bytes.data(), key.bytes.size(), 0);
    if (result != static_cast<long>(key.bytes.size()))
        return file::call_error(result < 0 ? result : -LKL_EIO, "make", "WireGuard key");
    // As Curve25519 has private keys (RFC 7748, section 5).
    key.bytes.front() &= 248;
    key.bytes.back() = (key.bytes.back() & 127) | 64;
    return key;
}

std::string WireGuardKey::text() const
{
    return netlink::to_base64(bytes);
}

// First the interface, then a message for each peer, so that many of them fit.
Result<void> set_wireguard(Netlink& generic, int index, const WireGuard& wireguard)
{
    const std::string what = "set up WireGuard of " + netlink::interface_text(index);
    auto device = wireguard_message(generic, LKL_WG_CMD_SET_DEVICE, 0, index);
    if (!device)
        return std::move(device).error();
    device->add(LKL_WGDEVICE_A_FLAGS, uint32_t{LKL_WGDEVICE_F_REPLACE_PEERS});
    device->add(LKL_WGDEVICE_A_PRIVATE_KEY, wireguard.private_key.value_or(WireGuardKey{}));
    device->add(LKL_WGDEVICE_A_LISTEN_PORT, wireguard.port);
    device->add(LKL_WGDEVICE_A_FWMARK, wireguard.mark);
    if (auto done = generic.request(*std::move(device), what); !done)
        return done;
    for (const WireGuardPeer& peer : wireguard.peers) {
        auto message = wireguard_message(generic, LKL_WG_CMD_SET_DEVICE, 0, index);
        if (!message)
            return std::move(message).error();
        message->nest(LKL_WGDEVICE_A_PEERS | LKL_NLA_F_NESTED,
                      [&](NetlinkMessage& peers) { add_peer(peers, peer); });
        if (auto done =
                generic.request(*std::move(message), what + ", peer " + peer.public_key.text());
            !done)
            return done;
    }
    return {};
}

Result<WireGuard> wireguard(Netlink& generic, int index)
{
    auto message = wireguard_message(generic, LKL_WG_CMD_GET_DEVICE, LKL_NLM_F_DUMP, index);
    if (!message)
        return std::move(message).error();
    auto replies =
        generic.query(*std::move(message), "read WireGuard of " + netlink::interface_text(index));
    if (!replies)
        return std::move(replies).error();
    WireGuard wireguard;
    replies->for_each(
        [&](const NetlinkView& view) { read_part(view.attributes<lkl_genlmsghdr>(), wireguard); });
    return wireguard;
}

}  // namespace lkl
