// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <limits>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/if.h>
#include <lkl/netlink.hpp>

namespace lkl {

namespace {

constexpr unsigned most_weight = 256;

bool has_gateway(const Route& route)
{
    return std::any_of(route.hops.begin(), route.hops.end(),
                       [](const NextHop& hop) { return hop.gateway.has_value(); });
}

// As ip-route(8) chooses it.
uint8_t scope_of(const Route& route)
{
    if (route.scope)
        return *route.scope;
    if (route.destination.address.is_v6())
        return LKL_RT_SCOPE_UNIVERSE;
    if (route.type == LKL_RTN_LOCAL || route.type == LKL_RTN_NAT)
        return LKL_RT_SCOPE_HOST;
    if (route.type == LKL_RTN_UNICAST && !has_gateway(route))
        return LKL_RT_SCOPE_LINK;
    return LKL_RT_SCOPE_UNIVERSE;
}

lkl_rtmsg route_head(const Route& route)
{
    lkl_rtmsg head{};
    head.rtm_family = static_cast<uint8_t>(route.destination.address.family());
    head.rtm_dst_len = route.destination.length;
    head.rtm_table =
        static_cast<uint8_t>(std::min<uint32_t>(route.table, std::numeric_limits<uint8_t>::max()));
    if (route.table > std::numeric_limits<uint8_t>::max())
        head.rtm_table = LKL_RT_TABLE_UNSPEC;
    head.rtm_protocol = route.protocol;
    head.rtm_type = route.type;
    head.rtm_scope = scope_of(route);
    return head;
}

// A gateway of the other family needs an attribute that says so.
void add_gateway(NetlinkMessage& message, const Route& route, const IpAddress& gateway)
{
    if (gateway.family() == route.destination.address.family()) {
        message.add_address(LKL_RTA_GATEWAY, gateway);
        return;
    }
    lkl_rtvia via{};
    via.rtvia_family = static_cast<uint16_t>(gateway.family());
    std::vector<std::byte> value(sizeof via);
    std::memcpy(value.data(), &via, sizeof via);
    value.insert(value.end(), gateway.bytes().begin(), gateway.bytes().end());
    message.add_bytes(LKL_RTA_VIA, value);
}

// One of several ways: a header that says how long it is, then its attributes.
void add_hop(NetlinkMessage& message, const Route& route, const NextHop& hop)
{
    NetlinkMessage inner(0);
    const size_t start = inner.bytes().size();
    if (hop.gateway)
        add_gateway(inner, route, *hop.gateway);
    const auto attributes = inner.bytes().subspan(start);
    lkl_rtnexthop head{};
    head.rtnh_len = static_cast<uint16_t>(sizeof head + attributes.size());
    head.rtnh_flags = hop.onlink ? LKL_RTNH_F_ONLINK : 0;
    head.rtnh_hops = static_cast<uint8_t>(hop.weight - 1);
    head.rtnh_ifindex = hop.index;
    message.put(head).put_bytes(attributes);
}

std::string route_text(const Route& route)
{
    std::string text = "route " + route.destination.text();
    for (const NextHop& hop : route.hops) {
        if (hop.gateway)
            text += " via " + hop.gateway->text();
        if (hop.index != 0)
            text += " on interface " + std::to_string(hop.index);
    }
    return text;
}

IpAddress gateway_of(const NetlinkAttributes& attributes)
{
    if (const auto gateway = attributes[LKL_RTA_GATEWAY])
        return gateway.address();
    const auto via = attributes[LKL_RTA_VIA].bytes();
    return IpAddress::from_bytes(via.subspan(std::min(sizeof(lkl_rtvia), via.size())));
}

NextHop read_hop(const NetlinkAttributes& attributes, int index, unsigned flags)
{
    NextHop hop;
    hop.index = index;
    hop.onlink = (flags & LKL_RTNH_F_ONLINK) != 0;
    if (attributes[LKL_RTA_GATEWAY] || attributes[LKL_RTA_VIA])
        hop.gateway = gateway_of(attributes);
    return hop;
}

std::vector<NextHop> read_hops(std::span<const std::byte> bytes)
{
    std::vector<NextHop> hops;
    while (const auto head = NetlinkValue(bytes).get<lkl_rtnexthop>()) {
        if (head->rtnh_len < sizeof *head || head->rtnh_len > bytes.size())
            break;
        const NetlinkAttributes attributes(
            bytes.subspan(sizeof *head, head->rtnh_len - sizeof *head));
        hops.push_back(read_hop(attributes, head->rtnh_ifindex, head->rtnh_flags));
        hops.back().weight = head->rtnh_hops + 1u;
        bytes = bytes.subspan(std::min<size_t>(LKL_RTNH_ALIGN(head->rtnh_len), bytes.size()));
    }
    return hops;
}

Route read_route(const NetlinkView& view)
{
    const auto head = view.family_header<lkl_rtmsg>();
    const auto attributes = view.attributes<lkl_rtmsg>();
    Route route;
    const auto destination = attributes[LKL_RTA_DST];
    route.destination.address =
        destination ? destination.address() : IpAddress::any(head.rtm_family);
    route.destination.length = head.rtm_dst_len;
    route.table = attributes[LKL_RTA_TABLE].get_or<uint32_t>(head.rtm_table);
    route.metric = attributes[LKL_RTA_PRIORITY].get_or<uint32_t>(0);
    route.type = head.rtm_type;
    route.protocol = head.rtm_protocol;
    route.scope = head.rtm_scope;
    if (const auto source = attributes[LKL_RTA_PREFSRC])
        route.source = source.address();
    if (const auto several = attributes[LKL_RTA_MULTIPATH])
        route.hops = read_hops(several.bytes());
    else if (const auto index = attributes[LKL_RTA_OIF].get<int>())
        route.hops = {read_hop(attributes, *index, head.rtm_flags)};
    return route;
}

bool is_wanted(const Route& route, const NetlinkView& view, uint32_t table)
{
    // Clones are what the kernel remembers of single hosts.
    return (view.family_header<lkl_rtmsg>().rtm_flags & LKL_RTM_F_CLONED) == 0 &&
           (table == 0 || route.table == table);
}

// The interface that a gateway is on whose address does not say it.
Result<int> only_link(Netlink& net, const IpAddress& gateway)
{
    const auto links = net.links();
    if (!links)
        return links.error();
    int index = 0;
    std::string names;
    for (const Link& link : *links) {
        if (!link.is_up() || (link.flags & LKL_IFF_LOOPBACK))
            continue;
        index = link.index;
        names += (names.empty() ? "" : ", ") + link.name;
    }
    if (index == 0)
        return Error{LKL_ENETUNREACH, "gateway " + gateway.text() + ": no interface is up"};
    if (names.find(',') != std::string::npos)
        return Error{LKL_EINVAL, "gateway " + gateway.text() +
                                     ": a link-local address, which may be on any of " + names};
    return index;
}

}  // namespace

Result<std::vector<Route>> Netlink::routes(int family, uint32_t table)
{
    std::vector<Route> routes;
    // Of "all families" the kernel would list those of IPv4 and others, some of them ours.
    for (const int one : {LKL_AF_INET, LKL_AF_INET6}) {
        if (family != LKL_AF_UNSPEC && family != one)
            continue;
        lkl_rtmsg head{};
        head.rtm_family = static_cast<uint8_t>(one);
        NetlinkMessage message(LKL_RTM_GETROUTE, LKL_NLM_F_DUMP);
        message.put(head);
        auto replies = query(std::move(message), "list routes");
        if (!replies)
            return std::move(replies).error();
        replies->for_each([&](const NetlinkView& view) {
            Route route = read_route(view);
            if (is_wanted(route, view, table))
                routes.push_back(std::move(route));
        });
    }
    return routes;
}

Result<void> Netlink::put_route(const Route& route, uint16_t type, unsigned flags)
{
    const std::string what = (type == LKL_RTM_DELROUTE ? "delete " : "add ") + route_text(route);
    const bool fits = std::all_of(route.hops.begin(), route.hops.end(), [](const NextHop& hop) {
        return hop.weight >= 1 && hop.weight <= most_weight;
    });
    if (!fits)
        return Error{LKL_EINVAL, what + ": a weight is 1 to 256"};

    lkl_rtmsg head = route_head(route);
    if (route.hops.size() == 1 && route.hops[0].onlink)
        head.rtm_flags |= LKL_RTNH_F_ONLINK;
    NetlinkMessage message(type, flags);
    message.put(head);
    if (route.destination.length > 0)
        message.add_address(LKL_RTA_DST, route.destination.address);
    message.add(LKL_RTA_TABLE, route.table);
    if (route.metric != 0)
        message.add(LKL_RTA_PRIORITY, route.metric);
    if (route.source)
        message.add_address(LKL_RTA_PREFSRC, *route.source);
    if (route.hops.size() > 1) {
        message.nest(LKL_RTA_MULTIPATH, [&](NetlinkMessage& list) {
            for (const NextHop& hop : route.hops)
                add_hop(list, route, hop);
        });
    } else if (route.hops.size() == 1) {
        if (route.hops[0].gateway)
            add_gateway(message, route, *route.hops[0].gateway);
        if (route.hops[0].index != 0)
            message.add(LKL_RTA_OIF, route.hops[0].index);
    }
    return request(std::move(message), what);
}

Result<void> Netlink::add_route(const Route& route)
{
    return put_route(route, LKL_RTM_NEWROUTE, LKL_NLM_F_CREATE | LKL_NLM_F_EXCL);
}

Result<void> Netlink::replace_route(const Route& route)
{
    return put_route(route, LKL_RTM_NEWROUTE, LKL_NLM_F_CREATE | LKL_NLM_F_REPLACE);
}

Result<void> Netlink::delete_route(const Route& route)
{
    return put_route(route, LKL_RTM_DELROUTE, 0);
}

Result<void> Netlink::add_default_gateway(const IpAddress& gateway, int index, bool onlink)
{
    if (index == 0 && gateway.is_link_local()) {
        const auto only = only_link(*this, gateway);
        if (!only)
            return only.error();
        index = *only;
    }
    NextHop hop;
    hop.gateway = gateway;
    hop.index = index;
    hop.onlink = onlink;
    Route route;
    route.destination.address = IpAddress::any(gateway.family());
    route.hops = {hop};
    return replace_route(route);
}

Result<Route> Netlink::route_to(const IpAddress& destination)
{
    const std::string what = "find route to " + destination.text();
    lkl_rtmsg head{};
    head.rtm_family = static_cast<uint8_t>(destination.family());
    head.rtm_dst_len = destination.bits();
    NetlinkMessage message(LKL_RTM_GETROUTE);
    message.put(head).add_address(LKL_RTA_DST, destination);
    auto replies = query(std::move(message), what);
    if (!replies)
        return std::move(replies).error();
    std::optional<Route> route;
    replies->for_each([&](const NetlinkView& view) { route = read_route(view); });
    if (!route)
        return Error{LKL_EPROTO, what + ": the kernel did not answer"};
    return *std::move(route);
}

}  // namespace lkl
