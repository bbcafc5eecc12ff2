// SPDX-License-Identifier: GPL-2.0-only
#include <utility>

#include <lkl/linux/if_addr.h>
#include <lkl/netlink.hpp>

#include "netlink/addresses.hpp"
#include "netlink/names.hpp"

namespace lkl {

using netlink::interface_text;

namespace {

lkl_ifaddrmsg address_head(int index, const IpPrefix& prefix)
{
    lkl_ifaddrmsg head{};
    head.ifa_family = static_cast<uint8_t>(prefix.address.family());
    head.ifa_prefixlen = prefix.length;
    head.ifa_index = static_cast<uint32_t>(index);
    return head;
}

}  // namespace

Address netlink::read_address(const NetlinkView& view)
{
    const auto head = view.family_header<lkl_ifaddrmsg>();
    const auto attributes = view.attributes<lkl_ifaddrmsg>();
    Address address;
    address.index = static_cast<int>(head.ifa_index);
    address.prefix.length = head.ifa_prefixlen;
    address.scope = head.ifa_scope;
    address.flags = attributes[LKL_IFA_FLAGS].get_or<uint32_t>(head.ifa_flags);
    // LOCAL is the interface's own, when ADDRESS is that of the other end.
    const auto local = attributes[LKL_IFA_LOCAL];
    const auto other = attributes[LKL_IFA_ADDRESS];
    address.prefix.address = (local ? local : other).address();
    if (local && other && local.address() != other.address())
        address.peer = other.address();
    if (const auto times = attributes[LKL_IFA_CACHEINFO].get<lkl_ifa_cacheinfo>()) {
        address.valid = times->ifa_valid;
        address.preferred = times->ifa_prefered;
    }
    return address;
}

Result<std::vector<Address>> Netlink::addresses(int index)
{
    lkl_ifaddrmsg head{};
    head.ifa_index = static_cast<uint32_t>(index);
    NetlinkMessage message(LKL_RTM_GETADDR, LKL_NLM_F_DUMP);
    message.put(head);
    auto replies = query(std::move(message), "list addresses");
    if (!replies)
        return std::move(replies).error();
    std::vector<Address> addresses;
    replies->for_each(
        [&](const NetlinkView& view) { addresses.push_back(netlink::read_address(view)); });
    return addresses;
}

Result<void> Netlink::put_address(const Address& address, unsigned flags)
{
    lkl_ifaddrmsg head = address_head(address.index, address.prefix);
    head.ifa_scope = address.scope;
    NetlinkMessage message(LKL_RTM_NEWADDR, LKL_NLM_F_CREATE | flags);
    message.put(head);
    message.add_address(LKL_IFA_LOCAL, address.prefix.address);
    message.add_address(LKL_IFA_ADDRESS, address.peer.value_or(address.prefix.address));
    if (address.flags != 0)
        message.add(LKL_IFA_FLAGS, address.flags);
    if (address.valid != Address::forever || address.preferred != Address::forever) {
        lkl_ifa_cacheinfo times{};
        times.ifa_valid = address.valid;
        times.ifa_prefered = address.preferred;
        message.add(LKL_IFA_CACHEINFO, times);
    }
    return request(std::move(message),
                   "add address " + address.prefix.text() + " to " + interface_text(address.index));
}

Result<void> Netlink::add_address(const Address& address)
{
    return put_address(address, LKL_NLM_F_EXCL);
}

Result<void> Netlink::replace_address(const Address& address)
{
    return put_address(address, LKL_NLM_F_REPLACE);
}

Result<void> Netlink::add_address(int index, const IpPrefix& prefix)
{
    Address address;
    address.index = index;
    address.prefix = prefix;
    return add_address(address);
}

Result<void> Netlink::delete_address(int index, const IpPrefix& prefix)
{
    NetlinkMessage message(LKL_RTM_DELADDR);
    message.put(address_head(index, prefix));
    message.add_address(LKL_IFA_LOCAL, prefix.address);
    return request(std::move(message),
                   "delete address " + prefix.text() + " of " + interface_text(index));
}

}  // namespace lkl
