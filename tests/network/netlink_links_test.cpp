// SPDX-License-Identifier: GPL-2.0-only
// Interfaces and network namespaces. The oracle is /proc/net of the same kernel, and
// whether packets pass.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/linux/if.h>
#include <lkl/linux/if_link.h>

#include "network/common/inner_network.hpp"

namespace {

using namespace lkl::test;
using lkl::Link;

class Links : public testing::Test {
protected:
    lkl::Kernel kernel = boot();
    lkl::Netlink net = must(lkl::Netlink::open(kernel));
};

// Their names in /proc/net/dev.
std::set<std::string> names_in_proc(lkl::Kernel& kernel)
{
    std::istringstream text(read_proc(kernel, "/proc/thread-self/net/dev"));
    std::set<std::string> names;
    for (std::string line; std::getline(text, line);) {
        const size_t colon = line.find(':');
        if (colon != std::string::npos)
            names.insert(
                line.substr(line.find_first_not_of(' '), colon - line.find_first_not_of(' ')));
    }
    return names;
}

std::set<std::string> names(lkl::Netlink& net)
{
    std::set<std::string> names;
    for (const Link& link : must(net.links()))
        names.insert(link.name);
    return names;
}

TEST_F(Links, OfEveryKindAreMadeAndDeleted)
{
    const int dummy = must(net.create_dummy("dummy0"));
    const int bridge = must(net.create_bridge("br0"));
    const int veth = must(net.create_veth("veth0", "veth1"));
    const int vlan = must(net.create_vlan("dummy0.7", dummy, 7));
    const int macvlan = must(net.create_macvlan("mac0", dummy, LKL_MACVLAN_MODE_BRIDGE));
    const int vrf = must(net.create_vrf("vrf0", 100));
    const int wireguard = must(net.create_wireguard("wg0"));
    const int ifb = must(net.create_link("ifb0", "ifb"));
    EXPECT_EQ(names(net), names_in_proc(kernel));
    EXPECT_EQ(must(net.link(bridge)).kind, "bridge");
    EXPECT_EQ(must(net.link(vlan)).parent, dummy);
    EXPECT_EQ(must(net.link(veth)).parent, must(net.link_index("veth1")));
    EXPECT_EQ(must(net.link(macvlan)).kind, "macvlan");
    EXPECT_FALSE(must(net.link(wireguard)).mac);
    EXPECT_NE(read_proc(kernel, "/proc/net/vlan/dummy0.7").find("VID: 7"), std::string::npos);
    for (const int index : {vlan, macvlan, dummy, bridge, veth, vrf, wireguard, ifb})
        EXPECT_EQ(error_of(net.delete_link(index)), "") << index;
    EXPECT_EQ(names(net).count("veth1"), 0u);  // went with its peer
    EXPECT_EQ(names(net), names_in_proc(kernel));
}

TEST_F(Links, ErrorsHaveTheKernelsWords)
{
    EXPECT_EQ(error_of(net.link("nothing")), "find interface nothing: No such device");
    EXPECT_EQ(code_of(net.link(999)), LKL_ENODEV);
    EXPECT_EQ(code_of(net.set_up(999)), LKL_ENODEV);
    EXPECT_EQ(code_of(net.rename(0, "lo")), LKL_ENODEV);
    EXPECT_EQ(code_of(net.create_dummy("a-name-that-is-too-long")), LKL_ERANGE);
    EXPECT_EQ(error_of(net.create_link("x", "warp")),
              "create interface x of kind warp: Operation not supported (Unknown device type)");
    EXPECT_EQ(code_of(net.create_dummy("lo")), LKL_EEXIST);
    EXPECT_EQ(code_of(net.create_vlan("v", 1, 4095)), LKL_ERANGE);
    EXPECT_EQ(error_of(net.create_link("x", "dummy", {},
                                       [](lkl::NetlinkMessage& more) {
                                           more.add_bytes(200, std::vector<std::byte>(70000));
                                       })),
              "create interface x of kind dummy: Message too long");
}

TEST_F(Links, AreChanged)
{
    const int dummy = must(net.create_dummy("dummy0"));
    const auto mac = must(lkl::MacAddress::parse("02:00:00:00:be:ef"));
    must(net.set_mtu(dummy, 9000));
    must(net.set_mac(dummy, mac));
    must(net.rename(dummy, "lan0"));
    must(net.set_up(dummy));
    Link link = must(net.link(dummy));
    EXPECT_EQ(link.name, "lan0");
    EXPECT_EQ(link.mtu, 9000u);
    EXPECT_EQ(link.mac, mac);
    EXPECT_TRUE(link.is_up());
    EXPECT_TRUE(link.carrier);
    must(net.set_down(dummy));
    EXPECT_FALSE(must(net.link("lan0")).is_up());

    const int bridge = must(net.create_bridge("br0"));
    must(net.set_master(dummy, bridge));
    EXPECT_EQ(must(net.link(dummy)).master, bridge);
    must(net.set_master(dummy, 0));
    EXPECT_EQ(must(net.link(dummy)).master, 0);
}

using Spaces = TwoHosts;

TEST_F(Spaces, AreApart)
{
    EXPECT_EQ(names(net).count("near"), 1u);
    EXPECT_EQ(names(net).count("far"), 0u);
    EXPECT_EQ(names(far_net).count("far"), 1u);
    EXPECT_EQ(far_away([&] { return names_in_proc(kernel); }), names(far_net));
    EXPECT_EQ(names_in_proc(kernel), names(net));
    // A new thread is in the first one, whatever this one does.
    far_away([&] {
        std::set<std::string> seen;
        std::thread([&] {
            auto own = must(lkl::Netlink::open(kernel));
            seen = names(own);
        }).join();
        EXPECT_EQ(seen, names(net));
        return 0;
    });
}

TEST_F(Spaces, AnInterfaceMoves)
{
    const int dummy = must(net.create_dummy("dummy0"));
    must(net.move_to(dummy, far_space));
    EXPECT_EQ(names(net).count("dummy0"), 0u);
    EXPECT_EQ(names(far_net).count("dummy0"), 1u);
}

TEST_F(Spaces, PacketsPassAndAreCounted)
{
    must(net.add_address(near, prefix("10.0.0.1/24")));
    must(far_net.add_address(far, prefix("10.0.0.2/24")));
    const auto before = must(net.link(near)).statistics;
    EXPECT_TRUE(round_trip(ip("10.0.0.1"), ip("10.0.0.2"), 10));
    const auto after = must(net.link(near)).statistics;
    EXPECT_GE(after.sent_packets, before.sent_packets + 10);
    EXPECT_GE(after.received_packets, before.received_packets + 10);
    EXPECT_GT(after.sent_bytes, before.sent_bytes);
    // As the kernel prints them.
    const std::string text = read_proc(kernel, "/proc/net/dev");
    std::istringstream line(text.substr(text.find("near:") + 5));
    uint64_t bytes = 0;
    uint64_t packets = 0;
    line >> bytes >> packets;
    EXPECT_GE(packets, after.received_packets);
    EXPECT_GE(bytes, after.received_bytes);
}

class Segments : public TwoHosts {
protected:
    // Bytes of a packet that the near end sends for a connection with a lot to say.
    double packet_size()
    {
        constexpr uint16_t port = 9;
        constexpr size_t size = 1 << 20;
        auto listener = far_away([&] { return Socket(kernel, LKL_AF_INET, LKL_SOCK_STREAM); });
        listener.set(LKL_SOL_SOCKET, LKL_SO_REUSEADDR, 1);
        EXPECT_EQ(listener.bind(ip("10.0.0.2"), port), 0);
        EXPECT_EQ(listener.listen(), 0);
        Socket client(kernel, LKL_AF_INET, LKL_SOCK_STREAM);
        EXPECT_EQ(client.connect(ip("10.0.0.2"), port), 0);
        auto server = listener.accept();
        const auto before = must(net.link(near)).statistics;
        std::thread sender(
            [&] { EXPECT_EQ(client.send(std::vector<char>(size).data(), size), long{size}); });
        std::vector<char> data(size);
        size_t received = 0;
        long n = 1;
        for (; received < size && n > 0; received += static_cast<size_t>(std::max(n, 0L)))
            n = server->receive(data.data(), size, std::chrono::seconds{5});
        EXPECT_EQ(received, size);
        sender.join();
        const auto after = must(net.link(near)).statistics;
        return static_cast<double>(after.sent_bytes - before.sent_bytes) /
               static_cast<double>(after.sent_packets - before.sent_packets);
    }
};

TEST_F(Segments, OfAPacketAreLimited)
{
    constexpr uint32_t most = 65535;
    constexpr double frame = 1514;
    must(net.add_address(near, prefix("10.0.0.1/24")));
    must(far_net.add_address(far, prefix("10.0.0.2/24")));
    EXPECT_EQ(must(net.link(near)).gso_segments, most);
    EXPECT_GT(packet_size(), frame);
    must(net.set_gso_segments(near, 1));
    EXPECT_EQ(must(net.link(near)).gso_segments, 1u);
    EXPECT_LE(packet_size(), frame);
    EXPECT_EQ(code_of(net.set_gso_segments(near, most + 1)), LKL_EINVAL);
}

// A list of some 100 KiB, in several parts, while another thread changes it.
TEST_F(Links, AreListedWhileTheyChange)
{
    constexpr int count = 100;
    for (int i = 0; i < count; ++i)
        must(net.create_dummy("fixed" + std::to_string(i)));
    std::atomic<bool> stop = false;
    std::thread other([&] {
        auto own = must(lkl::Netlink::open(kernel));
        while (!stop) {
            for (int i = 0; i < 10; ++i)
                must(own.delete_link(must(own.create_dummy("passing"))));
            // For as long as nothing changes, a list can be read to its end.
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    });
    int lists = 0;
    for (int i = 0; i < 50; ++i) {
        const auto found = net.links();
        // It may change each time that it is read.
        if (!found && found.error().code == LKL_EAGAIN)
            continue;
        ++lists;
        int fixed = 0;
        for (const Link& link : must(found))
            fixed += link.name.starts_with("fixed") ? 1 : 0;
        EXPECT_EQ(fixed, count);
    }
    stop = true;
    other.join();
    EXPECT_GT(lists, 0);
}

}  // namespace
