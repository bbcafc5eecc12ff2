// SPDX-License-Identifier: GPL-2.0-only
#include <utility>

#include <lkl/linux/neighbour.h>
#include <lkl/netlink.hpp>

#include "netlink/names.hpp"

namespace lkl {

using netlink::interface_text;

namespace {

NetlinkMessage neighbour_message(uint16_t type, unsigned flags, int index, const IpAddress& address)
{
    lkl_ndmsg head{};
    head.ndm_family = static_cast<uint8_t>(address.family());
    head.ndm_ifindex = index;
    head.ndm_state = type == LKL_RTM_NEWNEIGH ? LKL_NUD_PERMANENT : 0;
    NetlinkMessage message(type, flags);
    message.put(head).add_address(LKL_NDA_DST, address);
    return message;
}

}  // namespace

Result<std::vector<Neighbour>> Netlink::neighbours(int index)
{
    std::vector<Neighbour> neighbours;
    for (const int family : {LKL_AF_INET, LKL_AF_INET6}) {
        lkl_ndmsg head{};
        head.ndm_family = static_cast<uint8_t>(family);
        NetlinkMessage message(LKL_RTM_GETNEIGH, LKL_NLM_F_DUMP);
        message.put(head);
        if (index != 0)
            message.add(LKL_NDA_IFINDEX, index);
        auto replies = query(std::move(message), "list neighbours");
        if (!replies)
            return std::move(replies).error();
        replies->for_each([&](const NetlinkView& view) {
            const auto from = view.family_header<lkl_ndmsg>();
            const auto attributes = view.attributes<lkl_ndmsg>();
            Neighbour neighbour;
            neighbour.index = from.ndm_ifindex;
            neighbour.address = attributes[LKL_NDA_DST].address();
            neighbour.mac = attributes[LKL_NDA_LLADDR].get<MacAddress>();
            neighbour.state = from.ndm_state;
            neighbours.push_back(neighbour);
        });
    }
    return neighbours;
}

Result<void> Netlink::add_neighbour(int index, const IpAddress& address, const MacAddress& mac)
{
    NetlinkMessage message =
        neighbour_message(LKL_RTM_NEWNEIGH, LKL_NLM_F_CREATE | LKL_NLM_F_REPLACE, index, address);
    message.add(LKL_NDA_LLADDR, mac);
    return request(std::move(message),
                   "add neighbour " + address.text() + " on " + interface_text(index));
}

Result<void> Netlink::delete_neighbour(int index, const IpAddress& address)
{
    return request(neighbour_message(LKL_RTM_DELNEIGH, 0, index, address),
                   "delete neighbour " + address.text() + " of " + interface_text(index));
}

}  // namespace lkl
