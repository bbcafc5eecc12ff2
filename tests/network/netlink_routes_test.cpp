// SPDX-License-Identifier: GPL-2.0-only
// Routes and rules. The oracles are /proc/net of the same kernel, the route that it finds
// for a packet, and whether packets pass.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include <lkl/linux/if_addr.h>

#include "network/common/inner_network.hpp"

namespace {

using namespace lkl::test;
using lkl::NextHop;
using lkl::Route;
using lkl::Rule;

Route route(const char* destination, std::vector<NextHop> hops)
{
    Route route;
    route.destination = prefix(destination);
    route.hops = std::move(hops);
    return route;
}

class Routes : public TwoHosts {
protected:
    Routes()
    {
        must(net.add_address(near, prefix("10.0.0.1/24")));
        must(far_net.add_address(far, prefix("10.0.0.2/24")));
    }
    NextHop via(const char* gateway) const { return {.gateway = ip(gateway), .index = near}; }
};

TEST_F(Routes, AreAddedListedAndDeleted)
{
    must(net.add_route(route("198.51.100.0/24", {via("10.0.0.2")})));
    EXPECT_EQ(error_of(net.add_route(route("198.51.100.0/24", {via("10.0.0.2")}))),
              "add route 198.51.100.0/24 via 10.0.0.2 on interface " + std::to_string(near) +
                  ": File exists");
    // Destination, gateway, flags, as the kernel prints them.
    EXPECT_NE(read_proc(kernel, "/proc/net/route").find("near\t006433C6\t0200000A\t0003"),
              std::string::npos);
    const auto list = must(net.routes(LKL_AF_INET));
    const auto found = std::find_if(list.begin(), list.end(), [](const Route& one) {
        return one.destination == prefix("198.51.100.0/24");
    });
    ASSERT_NE(found, list.end());
    ASSERT_EQ(found->hops.size(), 1u);
    EXPECT_EQ(found->hops[0].gateway, ip("10.0.0.2"));
    EXPECT_EQ(found->hops[0].index, near);
    EXPECT_EQ(found->protocol, LKL_RTPROT_STATIC);
    // What was read can be given back.
    must(net.delete_route(*found));
    EXPECT_EQ(code_of(net.delete_route(*found)), LKL_ESRCH);
    EXPECT_EQ(read_proc(kernel, "/proc/net/route").find("006433C6"), std::string::npos);

    EXPECT_EQ(error_of(net.add_route(route("203.0.113.0/24", {{.gateway = ip("172.16.0.1")}}))),
              "add route 203.0.113.0/24 via 172.16.0.1: Network is unreachable "
              "(Nexthop has invalid gateway)");
}

TEST_F(Routes, GatewaysAreUsed)
{
    must(far_net.add_address(1, prefix("203.0.113.9/32")));
    must(far_net.set_up(1));
    EXPECT_EQ(code_of(net.route_to(ip("203.0.113.9"))), LKL_ENETUNREACH);
    must(net.add_default_gateway(ip("10.0.0.2")));
    EXPECT_EQ(must(net.route_to(ip("203.0.113.9"))).hops[0].gateway, ip("10.0.0.2"));
    EXPECT_TRUE(round_trip(ip("10.0.0.1"), ip("203.0.113.9")));
    // Another one takes its place.
    must(net.add_default_gateway(ip("10.0.0.3"), near));
    EXPECT_EQ(must(net.route_to(ip("203.0.113.9"))).hops[0].gateway, ip("10.0.0.3"));
    EXPECT_FALSE(round_trip(ip("10.0.0.1"), ip("203.0.113.9"), 1));
    // Outside of every network, but on the link.
    EXPECT_EQ(code_of(net.add_default_gateway(ip("192.0.2.1"), near)), LKL_ENETUNREACH);
    must(net.add_default_gateway(ip("192.0.2.1"), near, true));
    EXPECT_EQ(must(net.route_to(ip("203.0.113.9"))).hops[0].gateway, ip("192.0.2.1"));
}

TEST_F(Routes, OfIpv6AndOverIpv6)
{
    lkl::Address address{
        .index = near, .prefix = prefix("2001:db8::1/64"), .flags = LKL_IFA_F_NODAD};
    must(net.add_address(address));
    address = {.index = far, .prefix = prefix("2001:db8::2/64"), .flags = LKL_IFA_F_NODAD};
    must(far_net.add_address(address));
    must(far_net.add_address(1, prefix("2001:db8:9::9/128")));
    must(far_net.set_up(1));
    must(net.add_default_gateway(ip("2001:db8::2")));
    EXPECT_TRUE(round_trip(ip("2001:db8::1"), ip("2001:db8:9::9")));
    Route special = route("2001:db8:7::/48", {via("2001:db8::2")});
    special.metric = 77;
    special.source = ip("2001:db8::1");
    must(net.add_route(special));
    const Route found = must(net.route_to(ip("2001:db8:7::1")));
    EXPECT_EQ(found.metric, 77u);
    EXPECT_EQ(found.source, ip("2001:db8::1"));
    must(net.delete_route(special));

    // An IPv4 network behind an IPv6 gateway.
    must(far_net.add_address(1, prefix("203.0.113.9/32")));
    must(net.add_route(route("203.0.113.0/24", {via("2001:db8::2")})));
    EXPECT_EQ(must(net.route_to(ip("203.0.113.9"))).hops[0].gateway, ip("2001:db8::2"));
    EXPECT_TRUE(round_trip(ip("10.0.0.1"), ip("203.0.113.9")));
}

TEST_F(Routes, HaveSeveralWays)
{
    const int other = must(net.create_dummy("other"));
    must(net.set_up(other));
    must(net.add_address(other, prefix("10.1.0.1/24")));
    NextHop heavy = via("10.0.0.2");
    heavy.weight = 3;
    must(net.add_route(route("198.51.100.0/24",
                             {heavy, {.gateway = ip("10.1.0.2"), .index = other, .weight = 256}})));
    bool found = false;
    for (const Route& one : must(net.routes(LKL_AF_INET))) {
        if (one.destination != prefix("198.51.100.0/24"))
            continue;
        found = true;
        ASSERT_EQ(one.hops.size(), 2u);
        EXPECT_EQ(one.hops[0].gateway, ip("10.0.0.2"));
        EXPECT_EQ(one.hops[0].weight, 3u);
        EXPECT_EQ(one.hops[1].index, other);
        EXPECT_EQ(one.hops[1].weight, 256u);
    }
    EXPECT_TRUE(found);
    heavy.weight = 0;
    EXPECT_EQ(code_of(net.add_route(route("198.51.101.0/24", {heavy, heavy}))), LKL_EINVAL);
}

TEST_F(Routes, OfATypeRefuse)
{
    Route blocked = route("198.51.100.0/24", {});
    blocked.type = LKL_RTN_BLACKHOLE;
    must(net.add_route(blocked));
    EXPECT_EQ(code_of(net.route_to(ip("198.51.100.1"))), LKL_EINVAL);
    blocked.type = LKL_RTN_PROHIBIT;
    must(net.replace_route(blocked));
    EXPECT_EQ(code_of(net.route_to(ip("198.51.100.1"))), LKL_EACCES);
}

// 3,000 of them in a table of a large number: a list in many parts.
TEST_F(Routes, AreMany)
{
    constexpr uint32_t table = 5000;
    constexpr int count = 3000;
    for (int i = 0; i < count; ++i) {
        Route one = route("10.0.0.0/30", {via("10.0.0.2")});
        one.destination =
            prefix("11." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + ".0/24");
        one.table = table;
        must(net.add_route(one));
    }
    EXPECT_EQ(must(net.routes(LKL_AF_INET, table)).size(), size_t{count});
    EXPECT_EQ(must(net.routes(LKL_AF_INET)).size(), 1u);
    EXPECT_GT(must(net.routes(LKL_AF_INET, 0)).size(), size_t{count});
}

TEST_F(Routes, RulesChooseTheTable)
{
    constexpr uint32_t table = 100;
    Route other = route("0.0.0.0/0", {via("10.0.0.2")});
    other.table = table;
    must(net.add_route(other));
    Rule rule;
    rule.priority = 500;
    rule.from = prefix("10.7.0.0/16");
    rule.to = prefix("203.0.113.0/24");
    rule.mark = 0x10;
    rule.mask = 0xf0;
    rule.input = "near";
    rule.table = table;
    must(net.add_rule(rule));
    EXPECT_EQ(code_of(net.add_rule(rule)), LKL_EEXIST);
    auto rules = must(net.rules(LKL_AF_INET));
    const auto found = std::find_if(rules.begin(), rules.end(),
                                    [](const Rule& one) { return one.priority == 500u; });
    ASSERT_NE(found, rules.end());
    EXPECT_EQ(found->from, rule.from);
    EXPECT_EQ(found->to, rule.to);
    EXPECT_EQ(found->mark, 0x10u);
    EXPECT_EQ(found->mask, 0xf0u);
    EXPECT_EQ(found->input, "near");
    EXPECT_EQ(found->table, table);
    // The kernel's own three are there as well: local, main, default.
    EXPECT_EQ(rules.size(), 4u);
    EXPECT_EQ(code_of(net.route_to(ip("203.0.113.9"))), LKL_ENETUNREACH);

    Rule plain;
    plain.to = prefix("203.0.113.0/24");
    plain.table = table;
    must(net.add_rule(plain));
    EXPECT_EQ(must(net.route_to(ip("203.0.113.9"))).hops[0].gateway, ip("10.0.0.2"));
    must(net.delete_rule(plain));
    EXPECT_EQ(code_of(net.route_to(ip("203.0.113.9"))), LKL_ENETUNREACH);
    must(net.delete_rule(*found));
    EXPECT_EQ(must(net.rules(LKL_AF_INET)).size(), 3u);
    EXPECT_EQ(code_of(net.delete_rule(rule)), LKL_ENOENT);
}

}  // namespace
