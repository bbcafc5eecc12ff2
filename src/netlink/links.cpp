// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/if.h>
#include <lkl/linux/if_arp.h>
#include <lkl/linux/if_link.h>
#include <lkl/netlink.hpp>

#include "netlink/names.hpp"

namespace lkl {

using netlink::interface_text;

namespace {

LinkStatistics read_statistics(const NetlinkValue& value)
{
    const auto from = value.get_or(lkl_rtnl_link_stats64{});
    LinkStatistics statistics;
    statistics.received_packets = from.rx_packets;
    statistics.received_bytes = from.rx_bytes;
    statistics.receive_errors = from.rx_errors;
    statistics.receive_dropped = from.rx_dropped;
    statistics.sent_packets = from.tx_packets;
    statistics.sent_bytes = from.tx_bytes;
    statistics.send_errors = from.tx_errors;
    statistics.send_dropped = from.tx_dropped;
    return statistics;
}

Link read_link(const NetlinkView& view)
{
    const auto head = view.family_header<lkl_ifinfomsg>();
    const auto attributes = view.attributes<lkl_ifinfomsg>();
    Link link;
    link.index = head.ifi_index;
    link.flags = head.ifi_flags;
    link.name = attributes[LKL_IFLA_IFNAME].text();
    link.kind = NetlinkAttributes(attributes[LKL_IFLA_LINKINFO])[LKL_IFLA_INFO_KIND].text();
    link.state = attributes[LKL_IFLA_OPERSTATE].get_or<uint8_t>(0);
    link.carrier = attributes[LKL_IFLA_CARRIER].get_or<uint8_t>(0) != 0;
    link.mtu = attributes[LKL_IFLA_MTU].get_or<uint32_t>(0);
    link.gso_segments = attributes[LKL_IFLA_GSO_MAX_SEGS].get_or<uint32_t>(0);
    // Others have addresses of other kinds, tunnels those of their ends.
    if (head.ifi_type == LKL_ARPHRD_ETHER)
        link.mac = attributes[LKL_IFLA_ADDRESS].get<MacAddress>();
    link.master = attributes[LKL_IFLA_MASTER].get_or<int>(0);
    link.parent = attributes[LKL_IFLA_LINK].get_or<int>(0);
    link.qdisc = attributes[LKL_IFLA_QDISC].text();
    link.statistics = read_statistics(attributes[LKL_IFLA_STATS64]);
    return link;
}

NetlinkMessage link_message(uint16_t type, int index, unsigned flags = 0)
{
    lkl_ifinfomsg head{};
    head.ifi_index = index;
    NetlinkMessage message(type, flags);
    message.put(head);
    return message;
}

}  // namespace

bool Link::is_up() const
{
    return (flags & LKL_IFF_UP) != 0;
}

Result<std::vector<Link>> Netlink::links()
{
    auto replies = query(link_message(LKL_RTM_GETLINK, 0, LKL_NLM_F_DUMP), "list interfaces");
    if (!replies)
        return std::move(replies).error();
    std::vector<Link> links;
    replies->for_each([&](const NetlinkView& view) { links.push_back(read_link(view)); });
    return links;
}

Result<Link> Netlink::one_link(NetlinkMessage message, const std::string& what)
{
    auto replies = query(std::move(message), what);
    if (!replies)
        return std::move(replies).error();
    std::optional<Link> link;
    replies->for_each([&](const NetlinkView& view) { link = read_link(view); });
    if (!link)
        return Error{LKL_EPROTO, what + ": the kernel did not answer"};
    return *std::move(link);
}

Result<Link> Netlink::link(int index)
{
    return one_link(link_message(LKL_RTM_GETLINK, index), "find " + interface_text(index));
}

Result<Link> Netlink::link(std::string_view name)
{
    NetlinkMessage message = link_message(LKL_RTM_GETLINK, 0);
    message.add_text(LKL_IFLA_IFNAME, name);
    return one_link(std::move(message), "find interface " + std::string(name));
}

Result<int> Netlink::link_index(std::string_view name)
{
    auto found = link(name);
    if (!found)
        return std::move(found).error();
    return found->index;
}

Result<void> Netlink::change_link(int index, const Fill& attributes, const std::string& what)
{
    // Without an index the kernel would take a name for the one to look for.
    if (index <= 0)
        return Error{LKL_ENODEV, what + ": no such interface"};
    NetlinkMessage message = link_message(LKL_RTM_SETLINK, index);
    attributes(message);
    return request(std::move(message), what);
}

Result<void> Netlink::set_state(int index, bool up)
{
    lkl_ifinfomsg head{};
    head.ifi_index = index;
    head.ifi_change = LKL_IFF_UP;
    head.ifi_flags = up ? LKL_IFF_UP : 0;
    NetlinkMessage message(LKL_RTM_SETLINK);
    message.put(head);
    return request(std::move(message), "set " + interface_text(index) + (up ? " up" : " down"));
}

Result<void> Netlink::set_mtu(int index, uint32_t bytes)
{
    return change_link(
        index, [&](NetlinkMessage& message) { message.add(LKL_IFLA_MTU, bytes); },
        "set MTU of " + interface_text(index) + " to " + std::to_string(bytes));
}

Result<void> Netlink::set_gso_segments(int index, uint32_t count)
{
    return change_link(
        index, [&](NetlinkMessage& message) { message.add(LKL_IFLA_GSO_MAX_SEGS, count); },
        "set segments of a packet of " + interface_text(index) + " to " + std::to_string(count));
}

Result<void> Netlink::set_mac(int index, const MacAddress& mac)
{
    return change_link(
        index, [&](NetlinkMessage& message) { message.add(LKL_IFLA_ADDRESS, mac); },
        "set MAC address of " + interface_text(index) + " to " + mac.text());
}

Result<void> Netlink::rename(int index, std::string_view name)
{
    return change_link(
        index, [&](NetlinkMessage& message) { message.add_text(LKL_IFLA_IFNAME, name); },
        "rename " + interface_text(index) + " to " + std::string(name));
}

Result<void> Netlink::set_master(int index, int master)
{
    return change_link(
        index, [&](NetlinkMessage& message) { message.add(LKL_IFLA_MASTER, master); },
        "put " + interface_text(index) + " into " + interface_text(master));
}

Result<void> Netlink::move_to(int index, const NetworkNamespace& space)
{
    return change_link(
        index,
        [&](NetlinkMessage& message) { message.add(LKL_IFLA_NET_NS_FD, space.descriptor()); },
        "move " + interface_text(index) + " to another network namespace");
}

Result<void> Netlink::delete_link(int index)
{
    return request(link_message(LKL_RTM_DELLINK, index), "delete " + interface_text(index));
}

Result<int> Netlink::create_link(std::string_view name, std::string_view kind, const Fill& data,
                                 const Fill& more)
{
    NetlinkMessage message = link_message(LKL_RTM_NEWLINK, 0, LKL_NLM_F_CREATE | LKL_NLM_F_EXCL);
    message.add_text(LKL_IFLA_IFNAME, name);
    if (more)
        more(message);
    message.nest(LKL_IFLA_LINKINFO, [&](NetlinkMessage& info) {
        info.add_text(LKL_IFLA_INFO_KIND, kind);
        if (data)
            info.nest(LKL_IFLA_INFO_DATA, data);
    });
    auto made = request(std::move(message),
                        "create interface " + std::string(name) + " of kind " + std::string(kind));
    if (!made)
        return std::move(made).error();
    return link_index(name);
}

}  // namespace lkl
