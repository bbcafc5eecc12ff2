// SPDX-License-Identifier: GPL-2.0-only
// The established C names of the network's configuration. Each opens a Netlink of its own,
// in the calling thread's network namespace.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <lkl.h>
#include <lkl/netlink.hpp>

#include "capi/default_kernel.hpp"
#include "capi/errors.hpp"
#include "capi/guarded.hpp"

using namespace lkl::capi;
using lkl::Error;
using lkl::IpAddress;
using lkl::IpPrefix;
using lkl::Netlink;
using lkl::Result;

namespace {

constexpr std::chrono::seconds dad_timeout{5};

// change(Netlink&) on a socket of the default kernel: a Result.
template <typename Change>
int configure(Change change)
{
    const auto kernel = running_kernel();
    if (!kernel)
        return fail(kernel.error());
    auto net = Netlink::open(**kernel);
    if (!net)
        return fail(net.error());
    const auto result = change(*net);
    return result ? 0 : fail(result.error());
}

// The bytes at `bytes` as an address of the family.
Result<IpAddress> address_of(int family, const void* bytes)
{
    if (family != LKL_AF_INET && family != LKL_AF_INET6)
        return Error{LKL_EINVAL, "not an IPv4 or IPv6 address"};
    const size_t size = family == LKL_AF_INET ? IpAddress::v4_size : IpAddress::v6_size;
    return IpAddress::from_bytes({static_cast<const std::byte*>(bytes), size});
}

Result<IpPrefix> prefix_of(int family, const void* bytes, unsigned length)
{
    const auto address = address_of(family, bytes);
    if (!address)
        return address.error();
    if (length > address->bits())
        return Error{LKL_EINVAL, "a prefix of " + std::to_string(length) + " bits is too long"};
    return IpPrefix{*address, static_cast<uint8_t>(length)};
}

// The interface's own table of routes.
lkl::Route own_route(int index, const IpPrefix& destination)
{
    lkl::Route route;
    route.destination = destination;
    route.table = static_cast<uint32_t>(LKL_IF_TABLE(index));
    route.hops.resize(1);
    route.hops[0].index = index;
    return route;
}

// As configure(), for an interface, which has to be there: the kernel does not know what the
// number of a table stands for.
template <typename Change>
int configure_own(int index, const Change& change)
{
    return configure([&](Netlink& net) -> Result<void> {
        if (const auto link = net.link(index); !link)
            return link.error();
        return change(net);
    });
}

// The kernel adds a rule as often as it is asked to, each with a priority of its own.
Result<void> add_once(Netlink& net, const lkl::Rule& rule)
{
    const auto there = net.rules(rule.family);
    if (!there)
        return there.error();
    for (const lkl::Rule& one : *there)
        if (one.table == rule.table && one.from == rule.from)
            return {};
    return net.add_rule(rule);
}

int set_own_gateway(int index, int family, const void* addr, unsigned length, const void* via)
{
    int result = lkl_if_add_rule_from_saddr(index, family, addr);
    if (result == 0)
        result = lkl_if_add_linklocal(index, family, addr, static_cast<int>(length));
    if (result == 0)
        result = lkl_if_add_gateway(index, family, via);
    return result;
}

int set_qdisc(int index, std::string_view parent, std::string_view text)
{
    return configure([&](Netlink& net) { return net.set_qdisc(index, parent, text); });
}

}  // namespace

extern "C" {

int lkl_ifname_to_ifindex(const char* name)
{
    return guarded(__func__, {name}, [&] {
        int index = 0;
        const int result = configure([&](Netlink& net) {
            auto found = net.link_index(name);
            if (found)
                index = *found;
            return found;
        });
        return result < 0 ? result : index;
    });
}

int lkl_if_up(int ifindex)
{
    return guarded(__func__, {},
                   [&] { return configure([&](Netlink& net) { return net.set_up(ifindex); }); });
}

int lkl_if_down(int ifindex)
{
    return guarded(__func__, {},
                   [&] { return configure([&](Netlink& net) { return net.set_down(ifindex); }); });
}

int lkl_if_set_mtu(int ifindex, int mtu)
{
    return guarded(__func__, {}, [&] {
        return configure(
            [&](Netlink& net) { return net.set_mtu(ifindex, static_cast<uint32_t>(mtu)); });
    });
}

int lkl_if_add_ip(int ifindex, int af, const void* addr, unsigned int netprefix_len)
{
    return guarded(__func__, {addr}, [&] {
        const auto prefix = prefix_of(af, addr, netprefix_len);
        if (!prefix)
            return fail(prefix.error());
        return configure([&](Netlink& net) { return net.add_address(ifindex, *prefix); });
    });
}

int lkl_if_del_ip(int ifindex, int af, const void* addr, unsigned int netprefix_len)
{
    return guarded(__func__, {addr}, [&] {
        const auto prefix = prefix_of(af, addr, netprefix_len);
        if (!prefix)
            return fail(prefix.error());
        return configure([&](Netlink& net) { return net.delete_address(ifindex, *prefix); });
    });
}

int lkl_if_set_ipv4(int ifindex, unsigned int addr, unsigned int netmask_len)
{
    return lkl_if_add_ip(ifindex, LKL_AF_INET, &addr, netmask_len);
}

int lkl_if_set_ipv6(int ifindex, const void* addr, unsigned int netprefix_len)
{
    return guarded(__func__, {addr}, [&] {
        if (const int result = lkl_if_add_ip(ifindex, LKL_AF_INET6, addr, netprefix_len);
            result < 0)
            return result;
        bool up = false;
        const int result = configure([&](Netlink& net) {
            auto link = net.link(ifindex);
            up = link && link->is_up();
            return link;
        });
        return result == 0 && up ? lkl_if_wait_ipv6_dad(ifindex, addr) : result;
    });
}

int lkl_if_wait_ipv6_dad(int ifindex, const void* addr)
{
    return guarded(__func__, {addr}, [&] {
        const auto address = address_of(LKL_AF_INET6, addr);
        if (!address)
            return fail(address.error());
        return configure(
            [&](Netlink& net) { return net.wait_for_dad(ifindex, *address, dad_timeout); });
    });
}

int lkl_set_ipv4_gateway(unsigned int addr)
{
    return lkl_add_gateway(LKL_AF_INET, &addr);
}

int lkl_set_ipv6_gateway(const void* addr)
{
    return guarded(__func__, {addr}, [&] { return lkl_add_gateway(LKL_AF_INET6, addr); });
}

int lkl_add_gateway(int af, const void* gwaddr)
{
    return guarded(__func__, {gwaddr}, [&] {
        const auto gateway = address_of(af, gwaddr);
        if (!gateway)
            return fail(gateway.error());
        return configure([&](Netlink& net) { return net.add_default_gateway(*gateway); });
    });
}

int lkl_if_set_ipv4_gateway(int ifindex, unsigned int addr, unsigned int netmask_len,
                            unsigned int via_addr)
{
    return guarded(__func__, {}, [&] {
        return set_own_gateway(ifindex, LKL_AF_INET, &addr, netmask_len, &via_addr);
    });
}

int lkl_if_set_ipv6_gateway(int ifindex, const void* addr, unsigned int netmask_len,
                            const void* via_addr)
{
    return guarded(__func__, {addr, via_addr}, [&] {
        return set_own_gateway(ifindex, LKL_AF_INET6, addr, netmask_len, via_addr);
    });
}

int lkl_if_add_rule_from_saddr(int ifindex, int af, const void* saddr)
{
    return guarded(__func__, {saddr}, [&] {
        const auto source = address_of(af, saddr);
        if (!source)
            return fail(source.error());
        lkl::Rule rule;
        rule.family = af;
        rule.from = IpPrefix{*source, source->bits()};
        rule.table = static_cast<uint32_t>(LKL_IF_TABLE(ifindex));
        return configure_own(ifindex, [&](Netlink& net) { return add_once(net, rule); });
    });
}

int lkl_if_add_linklocal(int ifindex, int af, const void* addr, int netprefix_len)
{
    return guarded(__func__, {addr}, [&] {
        const auto prefix = prefix_of(af, addr, static_cast<unsigned>(netprefix_len));
        if (!prefix)
            return fail(prefix.error());
        return configure(
            [&](Netlink& net) { return net.replace_route(own_route(ifindex, prefix->network())); });
    });
}

int lkl_if_add_gateway(int ifindex, int af, const void* gwaddr)
{
    return guarded(__func__, {gwaddr}, [&] {
        const auto gateway = address_of(af, gwaddr);
        if (!gateway)
            return fail(gateway.error());
        lkl::Route route = own_route(ifindex, {IpAddress::any(af), 0});
        route.hops[0].gateway = *gateway;
        return configure_own(ifindex, [&](Netlink& net) { return net.replace_route(route); });
    });
}

int lkl_add_neighbor(int ifindex, int af, const void* addr, const void* mac)
{
    return guarded(__func__, {addr, mac}, [&] {
        const auto address = address_of(af, addr);
        if (!address)
            return fail(address.error());
        lkl::MacAddress hardware;
        std::memcpy(hardware.bytes.data(), mac, hardware.bytes.size());
        return configure(
            [&](Netlink& net) { return net.add_neighbour(ifindex, *address, hardware); });
    });
}

int lkl_qdisc_add(int ifindex, const char* parent, const char* type)
{
    return guarded(__func__, {parent, type}, [&] { return set_qdisc(ifindex, parent, type); });
}

int lkl_qdisc_parse_add(int ifindex, const char* entries)
{
    return guarded(__func__, {entries}, [&] {
        int first_error = 0;
        std::string_view rest = entries;
        while (!rest.empty()) {
            const std::string_view entry = rest.substr(0, rest.find(';'));
            rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
            if (entry.empty())
                continue;
            const size_t middle = entry.find('|');
            const int result =
                middle == std::string_view::npos
                    ? fail(LKL_EINVAL, "qdisc \"" + std::string(entry) + "\": no \"|\" in it")
                    : set_qdisc(ifindex, entry.substr(0, middle), entry.substr(middle + 1));
            if (first_error == 0)
                first_error = result;
        }
        return first_error;
    });
}

}  // extern "C"
