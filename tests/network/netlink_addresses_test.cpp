// SPDX-License-Identifier: GPL-2.0-only
// Addresses, neighbours, and what IPv6 does by itself. The oracles are /proc/net of the
// same kernel and whether packets pass.
#include <array>
#include <cstring>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <lkl/linux/if_addr.h>
#include <lkl/linux/in6.h>
#include <lkl/linux/neighbour.h>

#include "network/common/inner_network.hpp"

namespace {

using namespace lkl::test;
using lkl::Address;
using lkl::IpAddress;

TEST(IpAddresses, HaveATextForm)
{
    for (const char* const text :
         {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::ff", "fe80::1"})
        EXPECT_EQ(ip(text).text(), text);
    for (const char* const text :
         {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "g::", "1::2::3", "1.2.3.4 "})
        EXPECT_EQ(code_of(IpAddress::parse(text)), LKL_EINVAL) << text;
    EXPECT_EQ(code_of(IpAddress::parse(std::string_view("1.2.3.4\0x", 9))), LKL_EINVAL);
    EXPECT_EQ(prefix("10.1.2.3/9").network().text(), "10.0.0.0/9");
    EXPECT_EQ(prefix("2001:db8:ffff::1/33").network().text(), "2001:db8:8000::/33");
    EXPECT_EQ(prefix("10.1.2.3").text(), "10.1.2.3/32");
    for (const char* const text :
         {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "/8", "1.2.3.4/8x"})
        EXPECT_EQ(code_of(lkl::IpPrefix::parse(text)), LKL_EINVAL) << text;
    EXPECT_EQ(must(lkl::MacAddress::parse("02:AB:00:00:00:01")).text(), "02:ab:00:00:00:01");
    for (const char* const text :
         {"", "02:00:00:00:00", "02-00-00-00-00-01", "0x:00:00:00:00:01", "02:00:00:00:00:001"})
        EXPECT_EQ(code_of(lkl::MacAddress::parse(text)), LKL_EINVAL) << text;
}

using Addresses = TwoHosts;

const Address* find(const std::vector<Address>& list, const char* text)
{
    for (const Address& one : list) {
        if (one.prefix == prefix(text))
            return &one;
    }
    return nullptr;
}

TEST_F(Addresses, AreAddedChangedAndDeleted)
{
    must(net.add_address(near, prefix("10.0.0.1/24")));
    EXPECT_EQ(code_of(net.add_address(near, prefix("10.0.0.1/24"))), LKL_EEXIST);
    EXPECT_EQ(code_of(net.add_address(999, prefix("10.0.0.1/24"))), LKL_ENODEV);
    EXPECT_NE(read_proc(kernel, "/proc/net/fib_trie").find("|-- 10.0.0.1"), std::string::npos);

    Address limited;
    limited.index = near;
    limited.prefix = prefix("2001:db8::1/64");
    limited.flags = LKL_IFA_F_NODAD;
    limited.valid = 1000;
    limited.preferred = 500;
    must(net.add_address(limited));
    auto list = must(net.addresses(near));
    const Address* found = find(list, "2001:db8::1/64");
    ASSERT_NE(found, nullptr);
    EXPECT_LE(found->valid, 1000u);
    EXPECT_GE(found->valid, 990u);
    EXPECT_LE(found->preferred, 500u);
    EXPECT_EQ(found->flags & LKL_IFA_F_TENTATIVE, 0u);
    // Index, length of the prefix, scope, flags (NODAD), name.
    EXPECT_NE(read_proc(kernel, "/proc/net/if_inet6").find("20010db8000000000000000000000001"),
              std::string::npos);

    limited.valid = 20;
    limited.preferred = 10;
    must(net.replace_address(limited));
    list = must(net.addresses(near));
    EXPECT_LE(find(list, "2001:db8::1/64")->valid, 20u);
    // Others are not listed.
    EXPECT_EQ(find(must(net.addresses(1)), "10.0.0.1/24"), nullptr);
    EXPECT_NE(find(must(net.addresses()), "10.0.0.1/24"), nullptr);

    Address pair;
    pair.index = near;
    pair.prefix = prefix("10.9.0.1");
    pair.peer = ip("10.9.0.2");
    must(net.add_address(pair));
    list = must(net.addresses(near));
    ASSERT_NE(find(list, "10.9.0.1/32"), nullptr);
    EXPECT_EQ(find(list, "10.9.0.1/32")->peer, ip("10.9.0.2"));

    must(net.delete_address(near, prefix("10.0.0.1/24")));
    EXPECT_EQ(code_of(net.delete_address(near, prefix("10.0.0.1/24"))), LKL_EADDRNOTAVAIL);
    EXPECT_EQ(find(must(net.addresses(near)), "10.0.0.1/24"), nullptr);
}

TEST_F(Addresses, DuplicateDetectionEndsForBoth)
{
    // Some seconds long: a pause of the host does not end it.
    write_proc(kernel, "net/ipv6/conf/near/dad_transmits", "5");
    must(net.add_address(near, prefix("2001:db8::1/64")));
    const auto list = must(net.addresses(near));
    ASSERT_NE(find(list, "2001:db8::1/64"), nullptr);
    // Not usable yet: there is something to wait for.
    ASSERT_NE(find(list, "2001:db8::1/64")->flags & LKL_IFA_F_TENTATIVE, 0u);
    EXPECT_EQ(error_of(net.wait_for_dad(near, ip("2001:db8::1"), 1ms)),
              "duplicate address detection of 2001:db8::1 on interface " + std::to_string(near) +
                  ": timed out");
    EXPECT_EQ(error_of(net.wait_for_dad(near, ip("2001:db8::1"), 30s)), "");
    EXPECT_EQ(find(must(net.addresses(near)), "2001:db8::1/64")->flags & LKL_IFA_F_TENTATIVE, 0u);

    // The other end wants the same one. The wait is in the far namespace, though this
    // thread is not.
    must(far_net.add_address(far, prefix("2001:db8::1/64")));
    EXPECT_EQ(code_of(far_net.wait_for_dad(far, ip("2001:db8::1"), 10s)), LKL_EADDRINUSE);
    EXPECT_EQ(code_of(net.wait_for_dad(near, ip("2001:db8::99"), 10s)), LKL_EADDRNOTAVAIL);

    // It is taken away while someone waits for it.
    must(net.add_address(near, prefix("2001:db8::2/64")));
    std::thread other([&] {
        std::this_thread::sleep_for(50ms);
        must(must(lkl::Netlink::open(kernel)).delete_address(near, prefix("2001:db8::2/64")));
    });
    EXPECT_EQ(code_of(net.wait_for_dad(near, ip("2001:db8::2"), 10s)), LKL_EADDRNOTAVAIL);
    other.join();
}

// A router's advertisement of 2001:db8:5::/64 (RFC 4861, section 4.2).
std::array<uint8_t, 48> advertisement()
{
    std::array<uint8_t, 48> bytes{};
    bytes[0] = 134;
    bytes[4] = 64;         // hop limit
    bytes[6] = 1800 >> 8;  // how long it is a router
    bytes[7] = 1800 & 0xff;
    bytes[16] = 3;  // a prefix
    bytes[17] = 4;
    bytes[18] = 64;
    bytes[19] = 0xc0;              // on the link, and for addresses
    bytes[22] = bytes[26] = 0x0e;  // lifetimes, an hour
    bytes[23] = bytes[27] = 0x10;
    const IpAddress network = ip("2001:db8:5::");
    std::memcpy(bytes.data() + 32, network.bytes().data(), network.bytes().size());
    return bytes;
}

TEST_F(Addresses, AutoconfigurationIsWaitedFor)
{
    EXPECT_EQ(code_of(net.wait_for_autoconfiguration(near, 10ms)), LKL_ETIMEDOUT);
    // The router speaks from its link-local address, which must be usable first.
    for (const Address& one : must(far_net.addresses(far))) {
        if (one.prefix.address.is_link_local())
            must(far_net.wait_for_dad(far, one.prefix.address, 10s));
    }
    std::thread router([&] {
        const auto inside = must(lkl::InNetworkNamespace::enter(far_space, kernel));
        Socket raw(kernel, LKL_AF_INET6, LKL_SOCK_RAW, LKL_IPPROTO_ICMPV6);
        raw.set(LKL_IPPROTO_IPV6, LKL_IPV6_MULTICAST_HOPS, 255);
        raw.set(LKL_IPPROTO_IPV6, LKL_IPV6_MULTICAST_IF, far);
        std::this_thread::sleep_for(50ms);
        ASSERT_EQ(raw.connect(ip("ff02::1"), 0), 0);
        ASSERT_EQ(raw.send(advertisement().data(), 48), 48);
    });
    const auto address = net.wait_for_autoconfiguration(near, 10s);
    router.join();
    ASSERT_EQ(error_of(address), "");
    EXPECT_EQ((lkl::IpPrefix{address->prefix.address, 64}.network()), prefix("2001:db8:5::/64"));
    EXPECT_LE(address->valid, 3600u);
    // The router is the default route.
    const auto routes = must(net.routes(LKL_AF_INET6));
    EXPECT_TRUE(std::any_of(routes.begin(), routes.end(), [&](const lkl::Route& route) {
        return route.destination.length == 0 && route.hops.size() == 1 &&
               route.hops[0].index == near && route.hops[0].gateway;
    }));
}

TEST_F(Addresses, NeighboursAreFoundAndSet)
{
    must(net.add_address(near, prefix("10.0.0.1/24")));
    must(far_net.add_address(far, prefix("10.0.0.2/24")));
    const auto lookup = [&](const char* text) -> std::optional<lkl::Neighbour> {
        for (const lkl::Neighbour& one : must(net.neighbours(near))) {
            if (one.address == ip(text))
                return one;
        }
        return std::nullopt;
    };
    EXPECT_FALSE(lookup("10.0.0.2"));
    ASSERT_TRUE(round_trip(ip("10.0.0.1"), ip("10.0.0.2")));
    const auto learnt = lookup("10.0.0.2");
    ASSERT_TRUE(learnt);
    EXPECT_EQ(learnt->mac, must(far_net.link(far)).mac);
    EXPECT_NE(read_proc(kernel, "/proc/net/arp").find(learnt->mac->text()), std::string::npos);

    // A wrong one for good: no packet arrives any more.
    const auto wrong = must(lkl::MacAddress::parse("02:00:00:00:00:77"));
    must(net.add_neighbour(near, ip("10.0.0.2"), wrong));
    EXPECT_EQ(lookup("10.0.0.2")->mac, wrong);
    EXPECT_EQ(lookup("10.0.0.2")->state, LKL_NUD_PERMANENT);
    EXPECT_FALSE(round_trip(ip("10.0.0.1"), ip("10.0.0.2"), 1));
    must(net.delete_neighbour(near, ip("10.0.0.2")));
    EXPECT_TRUE(round_trip(ip("10.0.0.1"), ip("10.0.0.2")));
    EXPECT_EQ(code_of(net.delete_neighbour(near, ip("10.0.0.99"))), LKL_ENOENT);
}

}  // namespace
