// SPDX-License-Identifier: GPL-2.0-only
// The established C names of the network's configuration. The oracle is /proc/net of the
// same kernel, and whether packets pass.
#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>
#include <string>

#include <arpa/inet.h>

#include <gtest/gtest.h>

#include <lkl.h>
#include <lkl/linux/in.h>

#include "capi/default_kernel.hpp"
#include "network/common/inner_network.hpp"

namespace {

using lkl::test::ip;
using lkl::test::must;
using lkl::test::prefix;
using lkl::test::Socket;

unsigned v4(const char* text)
{
    unsigned address = 0;
    EXPECT_EQ(inet_pton(AF_INET, text, &address), 1);
    return address;
}

std::array<unsigned char, 16> v6(const char* text)
{
    std::array<unsigned char, 16> address{};
    EXPECT_EQ(inet_pton(AF_INET6, text, address.data()), 1);
    return address;
}

class CapiInterfaces : public testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
        ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
        ASSERT_GE(lkl_mount_fs("proc"), 0);
        ASSERT_EQ(lkl_if_up(1), 0) << lkl_error_message();
        auto net = lkl::test::must(lkl::Netlink::open(*lkl::capi::default_kernel));
        dummy = lkl::test::must(net.create_dummy("dummy0"));
    }
    void TearDown() override
    {
        EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
        lkl_cleanup();
    }

    static std::string proc(const std::string& path)
    {
        return lkl::test::read_proc(*lkl::capi::default_kernel, path.c_str());
    }

    int dummy = 0;
};

TEST_F(CapiInterfaces, NamesGiveIndices)
{
    EXPECT_EQ(lkl_ifname_to_ifindex("lo"), 1);
    EXPECT_EQ(lkl_ifname_to_ifindex("dummy0"), dummy);
    EXPECT_EQ(lkl_ifname_to_ifindex("eth7"), -LKL_ENODEV);
    EXPECT_STREQ(lkl_error_message(), "find interface eth7: No such device");
}

TEST_F(CapiInterfaces, UpDownAndMtu)
{
    const auto flags = [] { return std::stoul(proc("/sys/class/net/dummy0/flags"), nullptr, 16); };
    ASSERT_GE(lkl_mount_fs("sysfs"), 0);
    ASSERT_EQ(lkl_sys_symlink("/sysfs", "/sys"), 0);
    EXPECT_EQ(lkl_if_up(dummy), 0);
    EXPECT_EQ(flags() & 1, 1u);
    EXPECT_EQ(lkl_if_set_mtu(dummy, 1280), 0);
    EXPECT_EQ(proc("/sys/class/net/dummy0/mtu"), "1280\n");
    EXPECT_EQ(lkl_if_down(dummy), 0);
    EXPECT_EQ(flags() & 1, 0u);

    EXPECT_EQ(lkl_if_up(1000), -LKL_ENODEV);
    EXPECT_EQ(lkl_if_set_mtu(dummy, -1), -LKL_EINVAL);
    // The kernel's own words.
    EXPECT_NE(std::string(lkl_error_message()).find("mtu less than device minimum"),
              std::string::npos)
        << lkl_error_message();
}

TEST_F(CapiInterfaces, Ipv4AddressAndGateway)
{
    ASSERT_EQ(lkl_if_up(dummy), 0);
    EXPECT_EQ(lkl_set_ipv4_gateway(v4("192.0.2.1")), -LKL_ENETUNREACH);
    ASSERT_EQ(lkl_if_set_ipv4(dummy, v4("192.0.2.9"), 24), 0) << lkl_error_message();
    EXPECT_EQ(lkl_if_set_ipv4(dummy, v4("192.0.2.9"), 24), -LKL_EEXIST);
    EXPECT_EQ(lkl_if_set_ipv4(dummy, v4("192.0.2.9"), 33), -LKL_EINVAL);
    EXPECT_EQ(lkl_set_ipv4_gateway(v4("192.0.2.1")), 0) << lkl_error_message();
    // A second one takes the place of the first.
    EXPECT_EQ(lkl_set_ipv4_gateway(v4("192.0.2.2")), 0) << lkl_error_message();

    // Interface, destination, gateway, flags as the kernel prints them.
    const std::string routes = proc("/proc/net/route");
    EXPECT_NE(routes.find("dummy0\t00000000\t020200C0\t0003"), std::string::npos) << routes;
    EXPECT_EQ(routes.find("010200C0"), std::string::npos) << routes;
    EXPECT_NE(routes.find("dummy0\t000200C0\t00000000\t0001"), std::string::npos) << routes;

    const unsigned address = v4("192.0.2.9");
    EXPECT_EQ(lkl_if_del_ip(dummy, LKL_AF_INET, &address, 24), 0);
    EXPECT_EQ(lkl_if_del_ip(dummy, LKL_AF_INET, &address, 24), -LKL_EADDRNOTAVAIL);
    EXPECT_EQ(proc("/proc/net/route").find("dummy0"), std::string::npos);
}

TEST_F(CapiInterfaces, Ipv6AddressAndGateway)
{
    ASSERT_EQ(lkl_if_up(dummy), 0);
    const auto address = v6("2001:db8::9");
    const auto gateway = v6("2001:db8::1");
    ASSERT_EQ(lkl_if_set_ipv6(dummy, address.data(), 64), 0) << lkl_error_message();
    EXPECT_EQ(lkl_if_wait_ipv6_dad(dummy, address.data()), 0);
    EXPECT_EQ(lkl_if_wait_ipv6_dad(dummy, gateway.data()), -LKL_EADDRNOTAVAIL);
    EXPECT_EQ(lkl_set_ipv6_gateway(gateway.data()), 0) << lkl_error_message();

    EXPECT_NE(proc("/proc/net/if_inet6").find("20010db8000000000000000000000009"),
              std::string::npos);
    std::istringstream routes(proc("/proc/net/ipv6_route"));
    const std::string wanted =
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "20010db8000000000000000000000001 ";
    bool found = false;
    for (std::string line; std::getline(routes, line);)
        found = found || (line.starts_with(wanted) && line.find("dummy0") != std::string::npos);
    EXPECT_TRUE(found) << routes.str();
}

TEST_F(CapiInterfaces, AddressesOfEitherFamily)
{
    ASSERT_EQ(lkl_if_up(dummy), 0);
    const unsigned four = v4("192.0.2.9");
    const auto six = v6("2001:db8::9");
    ASSERT_EQ(lkl_if_add_ip(dummy, LKL_AF_INET, &four, 25), 0) << lkl_error_message();
    ASSERT_EQ(lkl_if_add_ip(dummy, LKL_AF_INET6, six.data(), 60), 0) << lkl_error_message();
    EXPECT_EQ(lkl_if_add_ip(dummy, LKL_AF_INET, &four, 25), -LKL_EEXIST);
    EXPECT_EQ(lkl_if_add_ip(dummy, LKL_AF_INET6, six.data(), 60), -LKL_EEXIST);
    EXPECT_EQ(lkl_if_wait_ipv6_dad(dummy, six.data()), 0) << lkl_error_message();

    lkl::Kernel& kernel = *lkl::capi::default_kernel;
    auto net = must(lkl::Netlink::open(kernel));
    const auto addresses = must(net.addresses(dummy));
    for (const char* const text : {"192.0.2.9/25", "2001:db8::9/60"}) {
        SCOPED_TRACE(text);
        const lkl::IpPrefix wanted = prefix(text);
        EXPECT_EQ(std::ranges::count(addresses, wanted, &lkl::Address::prefix), 1);
        // A packet for it arrives.
        Socket server(kernel, wanted.address.family(), LKL_SOCK_DGRAM);
        Socket client(kernel, wanted.address.family(), LKL_SOCK_DGRAM);
        ASSERT_EQ(server.bind(wanted.address, 7), 0);
        ASSERT_EQ(client.connect(wanted.address, 7), 0);
        EXPECT_EQ(client.send(text), static_cast<long>(std::strlen(text)));
        EXPECT_EQ(server.receive_text(), text);
    }
}

// The usual router of IPv6: its address does not say which interface it is on.
TEST_F(CapiInterfaces, LinkLocalGateway)
{
    const auto gateway = v6("fe80::1");
    EXPECT_EQ(lkl_set_ipv6_gateway(gateway.data()), -LKL_ENETUNREACH);
    ASSERT_EQ(lkl_if_up(dummy), 0);
    EXPECT_EQ(lkl_set_ipv6_gateway(gateway.data()), 0) << lkl_error_message();
    auto net = lkl::test::must(lkl::Netlink::open(*lkl::capi::default_kernel));
    const auto route = lkl::test::must(net.route_to(*lkl::IpAddress::parse("2001:db8::7")));
    ASSERT_EQ(route.hops.size(), 1u);
    EXPECT_EQ(route.hops[0].index, dummy);
    EXPECT_EQ(route.hops[0].gateway, *lkl::IpAddress::parse("fe80::1"));

    const int second = lkl::test::must(net.create_dummy("dummy1"));
    ASSERT_EQ(lkl_if_up(second), 0);
    EXPECT_EQ(lkl_set_ipv6_gateway(gateway.data()), -LKL_EINVAL);
    EXPECT_NE(std::string(lkl_error_message()).find("any of dummy0, dummy1"), std::string::npos)
        << lkl_error_message();
}

TEST_F(CapiInterfaces, SourceAddressesHaveTheirOwnGateways)
{
    ASSERT_EQ(lkl_if_up(dummy), 0);
    ASSERT_EQ(lkl_if_set_ipv4(dummy, v4("192.0.2.9"), 24), 0);
    ASSERT_EQ(lkl_if_set_ipv4_gateway(dummy, v4("192.0.2.9"), 24, v4("192.0.2.1")), 0)
        << lkl_error_message();
    const auto address = v6("2001:db8::9");
    const auto gateway = v6("2001:db8::1");
    ASSERT_EQ(lkl_if_set_ipv6(dummy, address.data(), 64), 0);
    ASSERT_EQ(lkl_if_set_ipv6_gateway(dummy, address.data(), 64, gateway.data()), 0)
        << lkl_error_message();

    // Which way a socket's packets go: connect() looks for a route at once.
    const auto connect = [](bool bound) {
        const long socket = lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0);
        lkl_sockaddr_in from{};
        from.sin_family = LKL_AF_INET;
        from.sin_addr.s_addr = v4("192.0.2.9");
        if (bound) {
            EXPECT_EQ(lkl_sys_bind(static_cast<int>(socket), reinterpret_cast<lkl_sockaddr*>(&from),
                                   sizeof from),
                      0);
        }
        lkl_sockaddr_in to = from;
        to.sin_addr.s_addr = v4("203.0.113.1");
        to.sin_port = 9;
        const long result = lkl_sys_connect(static_cast<int>(socket),
                                            reinterpret_cast<lkl_sockaddr*>(&to), sizeof to);
        lkl_sys_close(static_cast<unsigned>(socket));
        return result;
    };
    EXPECT_EQ(connect(false), -LKL_ENETUNREACH);
    EXPECT_EQ(connect(true), 0);
}

// The three things of which lkl_if_set_ipv4_gateway() and its like consist, one by one.
TEST_F(CapiInterfaces, AnInterfacesOwnTable)
{
    constexpr struct {
        const char *prefix, *network, *gateway, *all, *far;
    } families[] = {
        {"192.0.2.9/24", "192.0.2.0/24", "192.0.2.1", "0.0.0.0/0", "203.0.113.1"},
        {"2001:db8::9/64", "2001:db8::/64", "2001:db8::1", "::/0", "2001:db8:7::1"},
    };
    lkl::Kernel& kernel = *lkl::capi::default_kernel;
    auto net = must(lkl::Netlink::open(kernel));
    ASSERT_EQ(lkl_if_up(dummy), 0);
    const auto table = static_cast<uint32_t>(LKL_IF_TABLE(dummy));
    for (const auto& one : families) {
        SCOPED_TRACE(one.prefix);
        const auto [address, length] = prefix(one.prefix);
        const int family = address.family();
        const void* const bytes = address.bytes().data();
        ASSERT_EQ(lkl_if_add_ip(dummy, family, bytes, length), 0) << lkl_error_message();
        if (address.is_v6()) {
            ASSERT_EQ(lkl_if_wait_ipv6_dad(dummy, bytes), 0);
        }
        Socket bound(kernel, family, LKL_SOCK_DGRAM);
        ASSERT_EQ(bound.bind(address, 7), 0);
        EXPECT_EQ(bound.connect(ip(one.far), 9), -LKL_ENETUNREACH);

        ASSERT_EQ(lkl_if_add_rule_from_saddr(dummy, family, bytes), 0) << lkl_error_message();
        EXPECT_EQ(lkl_if_add_rule_from_saddr(dummy, family, bytes), 0) << lkl_error_message();
        const auto rules = must(net.rules(family));
        const auto rule = std::ranges::find(rules, table, &lkl::Rule::table);
        ASSERT_NE(rule, rules.end());
        EXPECT_EQ(std::ranges::count(rules, table, &lkl::Rule::table), 1);
        EXPECT_EQ(rule->from, (lkl::IpPrefix{address, address.bits()}));
        EXPECT_TRUE(must(net.routes(family, table)).empty());

        ASSERT_EQ(lkl_if_add_linklocal(dummy, family, bytes, length), 0) << lkl_error_message();
        auto routes = must(net.routes(family, table));
        ASSERT_EQ(routes.size(), 1u);
        EXPECT_EQ(routes[0].destination, prefix(one.network));
        EXPECT_EQ(routes[0].hops.at(0).index, dummy);
        EXPECT_FALSE(routes[0].hops[0].gateway);
        EXPECT_EQ(bound.connect(ip(one.far), 9), -LKL_ENETUNREACH);

        ASSERT_EQ(lkl_if_add_gateway(dummy, family, ip(one.gateway).bytes().data()), 0)
            << lkl_error_message();
        routes = must(net.routes(family, table));
        EXPECT_EQ(routes.size(), 2u);
        const auto all = std::ranges::find(routes, prefix(one.all), &lkl::Route::destination);
        ASSERT_NE(all, routes.end());
        EXPECT_EQ(all->hops.at(0).index, dummy);
        EXPECT_EQ(all->hops[0].gateway, ip(one.gateway));

        constexpr int nobody = 1000;
        EXPECT_EQ(lkl_if_add_rule_from_saddr(nobody, family, bytes), -LKL_ENODEV);
        EXPECT_EQ(lkl_if_add_linklocal(nobody, family, bytes, length), -LKL_ENODEV);
        EXPECT_EQ(lkl_if_add_gateway(nobody, family, ip(one.gateway).bytes().data()), -LKL_ENODEV);

        // Packets of the address go that way, and no others. IPv6 looks for a route with the
        // address that it would choose.
        const std::string data(1000, 'x');
        const uint64_t before = must(net.link(dummy)).statistics.sent_bytes;
        if (!address.is_v6()) {
            Socket unbound(kernel, family, LKL_SOCK_DGRAM);
            EXPECT_EQ(unbound.connect(ip(one.far), 9), -LKL_ENETUNREACH);
        }
        ASSERT_EQ(bound.connect(ip(one.far), 9), 0);
        EXPECT_EQ(bound.send(data), static_cast<long>(data.size()));
        EXPECT_GT(must(net.link(dummy)).statistics.sent_bytes, before + data.size());
    }
}

TEST_F(CapiInterfaces, Neighbours)
{
    ASSERT_EQ(lkl_if_up(dummy), 0);
    ASSERT_EQ(lkl_if_set_ipv4(dummy, v4("192.0.2.9"), 24), 0);
    const unsigned address = v4("192.0.2.77");
    const unsigned char mac[6] = {2, 0, 0, 0, 0xab, 0xcd};
    EXPECT_EQ(lkl_add_neighbor(dummy, LKL_AF_INET, &address, mac), 0) << lkl_error_message();
    EXPECT_EQ(lkl_add_neighbor(dummy, LKL_AF_INET, &address, nullptr), -LKL_EINVAL);
    EXPECT_EQ(lkl_add_neighbor(dummy, 99, &address, mac), -LKL_EINVAL);
    // The dummy has no ARP, whose entries /proc/net/arp leaves out: ask for the list.
    auto net = lkl::test::must(lkl::Netlink::open(*lkl::capi::default_kernel));
    bool found = false;
    for (const lkl::Neighbour& one : lkl::test::must(net.neighbours(dummy)))
        found = found || (one.address.text() == "192.0.2.77" && one.mac &&
                          one.mac->text() == "02:00:00:00:ab:cd");
    EXPECT_TRUE(found);
}

TEST_F(CapiInterfaces, QueueingDisciplines)
{
    ASSERT_EQ(lkl_if_up(dummy), 0);
    EXPECT_EQ(lkl_qdisc_add(dummy, "root", "fq"), 0) << lkl_error_message();
    auto net = lkl::test::must(lkl::Netlink::open(*lkl::capi::default_kernel));
    EXPECT_EQ(lkl::test::must(net.link(dummy)).qdisc, "fq");
    EXPECT_EQ(lkl_qdisc_parse_add(dummy, "root|fq_codel limit 100;;ingress|ingress"), 0)
        << lkl_error_message();
    EXPECT_EQ(lkl::test::must(net.link(dummy)).qdisc, "fq_codel");
    EXPECT_EQ(lkl::test::must(net.qdiscs(dummy)).size(), 2u);
    // The first error is reported, the rest done.
    EXPECT_EQ(lkl_qdisc_parse_add(dummy, "root;root|warp;root|pfifo limit 5"), -LKL_EINVAL);
    EXPECT_EQ(lkl::test::must(net.link(dummy)).qdisc, "pfifo");
}

TEST(CapiInterfacesWithoutKernel, FailWithANumber)
{
    const unsigned address = 0;
    EXPECT_EQ(lkl_if_up(1), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_ifname_to_ifindex("lo"), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_if_set_ipv4(1, address, 8), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_add_gateway(LKL_AF_INET, &address), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_qdisc_add(1, "root", "fq"), -LKL_ESHUTDOWN);
}

}  // namespace
