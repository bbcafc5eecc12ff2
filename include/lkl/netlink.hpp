// SPDX-License-Identifier: GPL-2.0-only
// lkl::Netlink: the configuration of a kernel's network, by netlink(7) inside it.
//
//     auto net = lkl::Netlink::open(kernel);
//     const int eth0 = net->link_index("eth0").value();
//     net->add_address(eth0, lkl::IpPrefix::parse("192.0.2.2/24").value());
//     net->set_up(eth0);
//     net->add_default_gateway(lkl::IpAddress::parse("192.0.2.1").value());
//
// An Error's text names the operation, the reason, and in brackets what the kernel itself
// says of it. Its code is the kernel's: ENODEV (no such interface), EEXIST, EINVAL, EPERM,
// EOPNOTSUPP ... and as everywhere ESHUTDOWN after the kernel's halt.
//
// A Netlink is a socket, of the network namespace that the thread was in which opened it
// (lkl/network_namespace.hpp). It belongs to one thread at a time; any number of them may
// be open. The Kernel object must stay where it is until it is closed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/ip_address.hpp>
#include <lkl/kernel.hpp>
#include <lkl/linux/fib_rules.h>
#include <lkl/linux/netlink.h>
#include <lkl/linux/rtnetlink.h>
#include <lkl/netlink_message.hpp>
#include <lkl/network_namespace.hpp>
#include <lkl/result.hpp>
#include <lkl/socket.h>

namespace lkl {

struct LinkStatistics {
    uint64_t received_packets = 0;
    uint64_t received_bytes = 0;
    uint64_t receive_errors = 0;
    uint64_t receive_dropped = 0;
    uint64_t sent_packets = 0;
    uint64_t sent_bytes = 0;
    uint64_t send_errors = 0;
    uint64_t send_dropped = 0;
};

// An interface.
struct Link {
    int index = 0;
    std::string name;
    std::string kind;    // "veth", "wireguard" ...; empty for a device and lo
    unsigned flags = 0;  // LKL_IFF_*
    uint8_t state = 0;   // LKL_IF_OPER_*
    bool carrier = false;
    uint32_t mtu = 0;  // bytes
    // Of how many segments at most TCP and UDP make one packet, see set_gso_segments().
    uint32_t gso_segments = 0;
    std::optional<MacAddress> mac = {};
    int master = 0;  // index of the bridge or the like that it is in, or 0
    int parent = 0;  // of a VLAN: the interface below; of a veth: its peer
    std::string qdisc;
    LinkStatistics statistics;

    bool is_up() const;  // it has been set up; `carrier` tells whether it works
};

// An interface's address.
struct Address {
    static constexpr uint32_t forever = UINT32_MAX;

    int index = 0;
    IpPrefix prefix;
    uint32_t flags = 0;            // LKL_IFA_F_*; to add one: LKL_IFA_F_NODAD ...
    uint32_t valid = forever;      // seconds left
    uint32_t preferred = forever;  // seconds until it is no longer chosen as a source
    uint8_t scope = LKL_RT_SCOPE_UNIVERSE;
    std::optional<IpAddress> peer = {};  // the other end of a point-to-point interface
};

// One of a route's ways.
struct NextHop {
    std::optional<IpAddress> gateway = {};  // none: what is on the link itself
    int index = 0;                          // 0: the one that has the gateway on its link
    unsigned weight = 1;                    // 1 to 256, of several ways
    bool onlink = false;  // the gateway is on the link, whatever the addresses say
};

struct Route {
    IpPrefix destination;            // length 0: the default route of its family
    std::vector<NextHop> hops = {};  // one; several: multipath
    uint32_t table = LKL_RT_TABLE_MAIN;
    uint32_t metric = 0;                   // of routes alike the lowest counts; 0 in IPv6: 1024
    std::optional<IpAddress> source = {};  // the preferred source address
    uint8_t type = LKL_RTN_UNICAST;        // LKL_RTN_BLACKHOLE ... have no hops
    uint8_t protocol = LKL_RTPROT_STATIC;
    std::optional<uint8_t> scope = {};  // none: what the type and the gateway ask for
};

// A rule of policy routing: which table is asked for what.
struct Rule {
    int family = LKL_AF_INET;
    std::optional<uint32_t> priority = {};  // the lowest is asked first; none: the kernel chooses
    std::optional<IpPrefix> from = {};
    std::optional<IpPrefix> to = {};
    uint32_t mark = 0;       // with mask: a socket's or packet's mark
    uint32_t mask = 0;       // 0: the mark does not count
    std::string input = {};  // name of an interface
    std::string output = {};
    uint32_t table = LKL_RT_TABLE_MAIN;
    uint8_t action = LKL_FR_ACT_TO_TBL;  // LKL_FR_ACT_*
};

struct Neighbour {
    int index = 0;
    IpAddress address;
    std::optional<MacAddress> mac = {};  // unknown so far
    uint16_t state = 0;                  // LKL_NUD_*
};

// A queueing discipline.
struct Qdisc {
    int index = 0;
    std::string kind;
    uint32_t handle = 0;
    uint32_t parent = 0;  // LKL_TC_H_ROOT ...
    uint64_t bytes = 0;   // sent
    uint32_t packets = 0;
    uint32_t drops = 0;
    uint32_t queued = 0;  // packets in it
};

class Netlink {
public:
    // protocol: LKL_NETLINK_*; the functions on links, addresses and so on need a socket
    // of LKL_NETLINK_ROUTE.
    static Result<Netlink> open(Kernel& kernel, int protocol = LKL_NETLINK_ROUTE);

    Kernel& kernel() const { return file_.kernel(); }
    int descriptor() const { return file_.descriptor(); }

    // Messages. `what` begins the text of an error: "add route 10.0.0.0/8".

    // Sends a request and waits until it is carried out.
    Result<void> request(NetlinkMessage message, std::string_view what);
    // Sends a request and returns what the kernel answers. With LKL_NLM_F_DUMP that is a
    // list; it is read anew when it changed meanwhile, EAGAIN when it always does.
    Result<NetlinkReplies> query(NetlinkMessage message, std::string_view what);
    // Sends several requests at once, as nfnetlink's transactions need it, and returns the
    // first error of any. Those with LKL_NLM_F_ACK must be confirmed by the kernel; the
    // messages that begin and end a transaction have no such flag.
    Result<void> batch(std::vector<NetlinkMessage> messages, std::string_view what);

    // Receives what happens in a group, LKL_RTNLGRP_* for instance. A socket with
    // subscriptions is for receive() alone.
    Result<void> subscribe(unsigned group);
    // The next messages; empty after the timeout. ENOBUFS: some were lost, since they came
    // faster than they were received.
    Result<NetlinkReplies> receive(std::chrono::milliseconds timeout);

    // The number of a family of generic netlink, which is the type of its messages; of a
    // socket of LKL_NETLINK_GENERIC. ENOENT: the kernel does not have it.
    Result<uint16_t> generic_family(std::string_view name);

    // Links. Interfaces are named by their index, which never changes; 1 is lo.

    Result<std::vector<Link>> links();
    Result<Link> link(int index);
    Result<Link> link(std::string_view name);
    Result<int> link_index(std::string_view name);

    Result<void> set_up(int index) { return set_state(index, true); }
    Result<void> set_down(int index) { return set_state(index, false); }
    Result<void> set_mtu(int index, uint32_t bytes);
    // Of how many segments at most TCP and UDP make one packet, 1 to 65535 (as at first). They
    // do so whatever the device can, which then gets it in pieces; but a queueing discipline
    // sees it whole, and netem loses it whole. 1: each is as it is on the wire. It holds for
    // connections that are made afterwards.
    Result<void> set_gso_segments(int index, uint32_t count);
    Result<void> set_mac(int index, const MacAddress& mac);
    Result<void> rename(int index, std::string_view name);
    // Puts it into a bridge, a bond or a VRF; 0 takes it out.
    Result<void> set_master(int index, int master);
    // It is down afterwards, without addresses, and may have another index.
    Result<void> move_to(int index, const NetworkNamespace& space);
    Result<void> delete_link(int index);

    // Makes an interface of a kind and returns its index. It is down. `data` adds the
    // attributes of the kind's LKL_IFLA_INFO_DATA; `more` those of the link itself.
    using Fill = std::function<void(NetlinkMessage&)>;
    Result<int> create_link(std::string_view name, std::string_view kind, const Fill& data = {},
                            const Fill& more = {});
    Result<int> create_dummy(std::string_view name) { return create_link(name, "dummy"); }
    Result<int> create_bridge(std::string_view name) { return create_link(name, "bridge"); }
    Result<int> create_wireguard(std::string_view name) { return create_link(name, "wireguard"); }
    // Two interfaces with a wire between them; returns the first one's index. The peer is
    // made in `peer_space` when that is given.
    Result<int> create_veth(std::string_view name, std::string_view peer,
                            const NetworkNamespace* peer_space = nullptr);
    // A VLAN (802.1Q) with an identifier of 1 to 4094 on the interface `parent`.
    Result<int> create_vlan(std::string_view name, int parent, uint16_t id);
    // A second address of hardware on `parent`; mode: LKL_MACVLAN_MODE_*.
    Result<int> create_macvlan(std::string_view name, int parent, uint32_t mode);
    Result<int> create_vrf(std::string_view name, uint32_t table);

    // Addresses.

    // Of one interface, or of all (0).
    Result<std::vector<Address>> addresses(int index = 0);
    // EEXIST: it is there already.
    Result<void> add_address(const Address& address);
    Result<void> add_address(int index, const IpPrefix& prefix);
    // Adds it, or changes its lifetimes and flags.
    Result<void> replace_address(const Address& address);
    // EADDRNOTAVAIL: it is not there.
    Result<void> delete_address(int index, const IpPrefix& prefix);

    // Waits until duplicate address detection has ended, so that the IPv6 address can be
    // used. EADDRINUSE: another host has it. EADDRNOTAVAIL: the interface does not have it,
    // or no longer. ETIMEDOUT: the interface may have no carrier.
    Result<void> wait_for_dad(int index, const IpAddress& address,
                              std::chrono::milliseconds timeout);
    // Waits for a global IPv6 address that a router's advertisement has brought, or that is
    // set already, to be usable. ETIMEDOUT.
    Result<Address> wait_for_autoconfiguration(int index, std::chrono::milliseconds timeout);

    // Routes.

    // Of a family (LKL_AF_INET, LKL_AF_INET6 or both: LKL_AF_UNSPEC) and a table (0: all).
    Result<std::vector<Route>> routes(int family = LKL_AF_UNSPEC,
                                      uint32_t table = LKL_RT_TABLE_MAIN);
    Result<void> add_route(const Route& route);
    // Takes the place of the one with the same destination, table and metric, if any.
    Result<void> replace_route(const Route& route);
    // ESRCH: there is none like that.
    Result<void> delete_route(const Route& route);
    // Sets the default route of the gateway's family; index 0: the interface that has the
    // gateway on its link; for a link-local gateway the only one that is up and not the
    // loopback interface (EINVAL: there are several). `onlink`: it is on the link of `index`,
    // whatever the addresses say.
    Result<void> add_default_gateway(const IpAddress& gateway, int index = 0, bool onlink = false);
    // The route that a packet would take. ENETUNREACH.
    Result<Route> route_to(const IpAddress& destination);

    Result<std::vector<Rule>> rules(int family = LKL_AF_UNSPEC);
    Result<void> add_rule(const Rule& rule);
    Result<void> delete_rule(const Rule& rule);

    // Neighbours, of one interface or of all (0).
    Result<std::vector<Neighbour>> neighbours(int index = 0);
    // Sets one for good (LKL_NUD_PERMANENT), in place of what was known of it.
    Result<void> add_neighbour(int index, const IpAddress& address, const MacAddress& mac);
    Result<void> delete_neighbour(int index, const IpAddress& address);

    // Queueing disciplines. `text` is in the words of tc(8), see docs/network.md:
    // "fq_codel", "netem delay 10ms loss 1%". `parent` is "root", "ingress", "clsact" or a
    // class as "1:2". Takes the place of the one that is there; what one of the same kind
    // keeps is in docs/network.md too. EINVAL: a word that is not known, which the Error
    // names, or one that cannot be changed.
    Result<std::vector<Qdisc>> qdiscs(int index = 0);
    Result<void> set_qdisc(int index, std::string_view parent, std::string_view text);
    Result<void> delete_qdisc(int index, std::string_view parent = "root");

private:
    explicit Netlink(File file) : file_(std::move(file)) {}

    Result<void> send(std::span<const std::byte> bytes, std::string_view what);
    Result<size_t> receive_bytes(bool wait, std::string_view what);
    Result<NetlinkReplies> transact(NetlinkMessage& message, bool& changed, std::string_view what);
    std::span<const std::byte> received(size_t size) const
    {
        return std::span(buffer_).first(size);
    }

    Result<void> set_state(int index, bool up);
    Result<Link> one_link(NetlinkMessage message, const std::string& what);
    Result<void> change_link(int index, const Fill& attributes, const std::string& what);
    Result<void> put_address(const Address& address, unsigned flags);
    Result<void> put_route(const Route& route, uint16_t type, unsigned flags);
    Result<void> put_rule(const Rule& rule, uint16_t type, unsigned flags);

    File file_;
    std::vector<std::byte> buffer_;
    uint32_t sequence_ = 0;
};

}  // namespace lkl
