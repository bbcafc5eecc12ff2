// SPDX-License-Identifier: GPL-2.0-only
#include "config/links.hpp"

#include <cerrno>
#include <chrono>

#include <lkl/interfaces.h>
#include <lkl/linux/if_addr.h>

#include "config/addresses.hpp"
#include "config/lists.hpp"

namespace lkl::config {

namespace {

using lkl::Netlink;
using lkl::Result;

Result<void> add_address(Netlink& net, int index, const std::string& what, const std::string& text,
                         const std::string& length)
{
    if (text.empty())
        return {};
    const auto prefix = parse_prefix(what, text, length);
    if (!prefix)
        return prefix.error();
    lkl::Address address;
    address.index = index;
    address.prefix = *prefix;
    // The program uses it at once; a conflict would be found by nobody.
    address.flags = prefix->address.is_v6() ? LKL_IFA_F_NODAD : 0;
    return net.add_address(address);
}

// Packets from the interface's address have a routing table of their own.
Result<void> add_own_gateway(Netlink& net, int index, const lkl::IpPrefix& own,
                             const lkl::IpAddress& gateway)
{
    const auto table = static_cast<uint32_t>(LKL_IF_TABLE(index));
    lkl::Rule rule;
    rule.family = own.address.family();
    rule.from = lkl::IpPrefix{own.address, own.address.bits()};
    rule.table = table;
    if (auto added = net.add_rule(rule); !added)
        return added;
    lkl::Route link;
    link.table = table;
    link.destination = own.network();
    link.hops = {{.gateway = {}, .index = index}};
    if (auto added = net.replace_route(link); !added)
        return added;
    lkl::Route all = link;
    all.destination = {lkl::IpAddress::any(rule.family), 0};
    all.hops[0].gateway = gateway;
    return net.replace_route(all);
}

Result<void> add_own_gateway(Netlink& net, int index, const std::string& own,
                             const std::string& length, const std::string& gateway, bool v6)
{
    if (gateway.empty())
        return {};
    if (own.empty())
        return lkl::Error{EINVAL, "ifgateway " + gateway + ": the interface has no address"};
    const auto prefix = parse_prefix("ip", own, length);
    if (!prefix)
        return prefix.error();
    const auto router = parse_address("ifgateway", gateway, v6);
    if (!router)
        return router.error();
    return add_own_gateway(net, index, *prefix, *router);
}

Result<void> add_neighbours(Netlink& net, int index, const std::string& list)
{
    for (const std::string& entry : split(list, ';')) {
        const auto neighbour = parse_neighbour(entry);
        if (!neighbour)
            return neighbour.error();
        if (auto added = net.add_neighbour(index, neighbour->first, neighbour->second); !added)
            return added;
    }
    return {};
}

Result<void> add_qdiscs(Netlink& net, int index, const std::string& list)
{
    for (const std::string& entry : split(list, ';')) {
        const auto [parent, type] = cut(entry, "|");
        if (type.empty())
            return lkl::Error{EINVAL, "qdisc \"" + entry + "\": is not PARENT|TYPE"};
        if (auto set = net.set_qdisc(index, parent, type); !set)
            return set;
    }
    return {};
}

Result<void> set_mac(Netlink& net, int index, const std::string& text)
{
    if (text.empty())
        return {};
    const auto mac = lkl::MacAddress::parse(text);
    if (!mac)
        return mac.error();
    return net.set_mac(index, *mac);
}

}  // namespace

Result<void> set_up_link(Netlink& net, int index, const Interface& one)
{
    Result<void> done = set_mac(net, index, one.mac);
    if (done)
        done = net.set_up(index);
    if (done)
        done = add_address(net, index, "ip", one.ip, one.mask_length);
    if (done)
        done = add_address(net, index, "ip6", one.ip6, one.mask_length6);
    if (done)
        done = add_own_gateway(net, index, one.ip, one.mask_length, one.gateway, false);
    if (done)
        done = add_own_gateway(net, index, one.ip6, one.mask_length6, one.gateway6, true);
    if (done)
        done = add_neighbours(net, index, one.neighbours);
    if (done)
        done = add_qdiscs(net, index, one.qdisc);
    return done;
}

Result<void> set_gateways(Netlink& net, const Configuration& configuration)
{
    for (const std::string* text : {&configuration.gateway, &configuration.gateway6}) {
        if (text->empty())
            continue;
        const auto address = parse_address("gateway", *text, text == &configuration.gateway6);
        if (!address)
            return address.error();
        if (auto added = net.add_default_gateway(*address); !added)
            return added;
    }
    return {};
}

}  // namespace lkl::config
