// SPDX-License-Identifier: GPL-2.0-only
// Kinds of interfaces that need more than their name.
#include <lkl/linux/if_link.h>
#include <lkl/linux/veth.h>
#include <lkl/netlink.hpp>

namespace lkl {

Result<int> Netlink::create_veth(std::string_view name, std::string_view peer,
                                 const NetworkNamespace* peer_space)
{
    return create_link(name, "veth", [&](NetlinkMessage& data) {
        data.nest(LKL_VETH_INFO_PEER, [&](NetlinkMessage& other) {
            other.put(lkl_ifinfomsg{}).add_text(LKL_IFLA_IFNAME, peer);
            if (peer_space != nullptr)
                other.add(LKL_IFLA_NET_NS_FD, peer_space->descriptor());
        });
    });
}

namespace {

Netlink::Fill on_parent(int parent)
{
    return [parent](NetlinkMessage& link) { link.add(LKL_IFLA_LINK, parent); };
}

}  // namespace

Result<int> Netlink::create_vlan(std::string_view name, int parent, uint16_t id)
{
    return create_link(
        name, "vlan", [&](NetlinkMessage& data) { data.add(LKL_IFLA_VLAN_ID, id); },
        on_parent(parent));
}

Result<int> Netlink::create_macvlan(std::string_view name, int parent, uint32_t mode)
{
    return create_link(
        name, "macvlan", [&](NetlinkMessage& data) { data.add(LKL_IFLA_MACVLAN_MODE, mode); },
        on_parent(parent));
}

Result<int> Netlink::create_vrf(std::string_view name, uint32_t table)
{
    return create_link(name, "vrf",
                       [&](NetlinkMessage& data) { data.add(LKL_IFLA_VRF_TABLE, table); });
}

}  // namespace lkl
