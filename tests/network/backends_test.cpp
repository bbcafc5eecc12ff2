// SPDX-License-Identifier: GPL-2.0-only
// The same for every back end: TCP between our kernel and what is on the other side, the
// host's kernel or a second one of ours.
// ctest: TIMEOUT=90
#include <array>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl/net.hpp>

#include "common/host_network.hpp"
#include "common/inner_network.hpp"
#include "common/program.hpp"
#include "common/stack.hpp"
#include "common/transfer.hpp"
#include "support/kernel.hpp"
#include "support/must.hpp"

namespace lkl::test {
namespace {

constexpr const char* far_address = "10.9.0.1";
constexpr const char* our_address = "10.9.0.2";
constexpr const char* far_v6_address = "fd09::1";
constexpr const char* our_v6_address = "fd09::2";

using Backend = Result<std::unique_ptr<NetBackend>>;

// Our kernel, and what is at the other end.
struct Network {
    Directory directory;
    std::unique_ptr<Program> program;
    std::unique_ptr<Kernel> second;
    std::unique_ptr<NetDevice> second_device;
    std::unique_ptr<Stack> far = host_stack();
    Place far_place = far_address;
    std::string address = our_address;
    // The same of IPv6.
    Place far_v6_place = far_v6_address;
    std::string v6_address = our_v6_address;
    bool reaches_us = true;     // connections can be made to our kernel
    bool only_address = false;  // our kernel is to send packets from its address alone
    std::string skip;           // why it cannot be tested here

    // The interface at the other end gets its addresses.
    void configure_far(const std::string& interface)
    {
        EXPECT_EQ(far->configure(interface, far_address), 0);
        if (has_ipv6()) {
            EXPECT_EQ(far->configure(interface, far_v6_address), 0);
        }
    }
    // What the other end may be without, if it is the host.
    bool has_ipv6() const { return second || host_has_ipv6(); }

    // A second kernel has this end.
    void add_second(std::unique_ptr<NetBackend> backend)
    {
        second = std::make_unique<Kernel>(boot());
        auto added = NetDevice::add(*second, std::move(backend));
        ASSERT_TRUE(added) << added.error().what;
        second_device = std::make_unique<NetDevice>(*std::move(added));
        far = our_stack(*second);
        configure_far("eth0");
    }
};

struct Case {
    const char* name;
    std::function<Backend(Network&)> make;
    bool quick = true;  // the data goes through without being copied by a third program
};

Backend tap(Network& network, uint16_t pairs)
{
    auto made = open_tap("", {.queue_pairs = pairs});
    if (made)
        network.configure_far((*made)->info().name);
    return made;
}

// `more`: what ip(8) is told of its queues.
Backend persistent_tap(Network& network, const std::string& more)
{
    EXPECT_TRUE(run("ip tuntap add dev mine mode tap " + more));
    network.configure_far("mine");
    return open_tap("mine");
}

Backend veth_and(Network& network, const std::string& more, const std::function<Backend()>& open)
{
    EXPECT_TRUE(make_wire());
    network.configure_far("far");
    if (!run(more)) {
        network.skip = "the host cannot: " + more;
        return Error{ENODEV, network.skip};
    }
    return open();
}

Backend macvtap(Network& network)
{
    return veth_and(network, add_macvtap, [&network]() -> Backend {
        const std::string node = network.directory.path("tap");
        if (!make_macvtap_node(node)) {
            network.skip = "no device node of macvtap";
            return Error{ENODEV, network.skip};
        }
        return open_macvtap(node);
    });
}

Backend cable(Network& network)
{
    auto ends = make_net_pipe();
    if (!ends)
        return ends.error();
    network.add_second(std::move(ends->second));
    return std::move(ends->first);
}

Backend fifos(Network& network)
{
    const std::string one = network.directory.path("one");
    const std::string two = network.directory.path("two");
    EXPECT_EQ(::mkfifo(one.c_str(), 0600), 0);
    EXPECT_EQ(::mkfifo(two.c_str(), 0600), 0);
    auto end = open_net_fifos(two, one);
    if (end)
        network.add_second(*std::move(end));
    return open_net_fifos(one, two);
}

// Two networks of the program's own, joined.
Backend user(Network& network)
{
    auto links = std::make_shared<std::array<std::shared_ptr<UserLink>, 2>>();
    auto one = make_user_net([links](auto frame) { (*links)[1]->send(frame); });
    auto two = make_user_net([links](auto frame) { (*links)[0]->send(frame); });
    *links = {one.second, two.second};
    network.add_second(std::move(two.first));
    return std::move(one.first);
}

Backend vde(Network& network)
{
    network.skip = why_no_vde();
    if (!network.skip.empty())
        return std::unique_ptr<NetBackend>();
    const std::string directory = network.directory.path("switch");
    network.program = start_switch(directory);
    auto end = open_vde(directory);
    if (end)
        network.add_second(*std::move(end));
    return open_vde(directory);
}

Backend slirp(Network& network)
{
    network.address = "10.0.2.15";
    network.far_place = Place("127.0.0.1", "10.0.2.2");
    network.v6_address = "fec0::15";
    network.far_v6_place = Place("::1", "fec0::2");
    network.reaches_us = false;
    return open_slirp();
}

// The host's address is ours, and its gateway is the host.
Backend passt(Network& network)
{
    network.address = "10.9.0.3";
    network.far_place = Place("127.0.0.1", "10.9.0.254");
    network.v6_address = "fd09::3";
    network.far_v6_place = Place("::1", "fd09::fe");
    network.reaches_us = false;
    // Debian 12's passt sends to the address that it saw last, be it "::" (of duplicate address
    // detection) or the one that its router advertisement gives: it answers a SYN there.
    network.only_address = true;
    std::string more =
        "ip link set far up && ip addr add 10.9.0.3/24 dev near && "
        "ip route add default via 10.9.0.254 dev near";
    if (network.has_ipv6())
        more +=
            " && ip addr add fd09::3/64 dev near nodad && "
            "ip route add default via fd09::fe dev near";
    return veth_and(network, more, [] {
        PasstOptions options;
        options.arguments = {"-t", "none", "-u", "none"};
        return open_passt(options);
    });
}

const Case cases[] = {
    {"tap", [](Network& network) { return tap(network, 1); }},
    {"tap_of_several_queues", [](Network& network) { return tap(network, 4); }},
    {"persistent_tap", [](Network& network) { return persistent_tap(network, ""); }},
    {"persistent_tap_of_several_queues",
     [](Network& network) { return persistent_tap(network, "multi_queue"); }},
    {"macvtap", macvtap},
    {"raw",
     [](Network& network) { return veth_and(network, "true", [] { return open_raw("near"); }); }},
    {"socket_pair", cable},
    {"fifos", fifos},
    {"user", user, false},
    {"vde", vde, false},
    {"slirp", slirp, false},
    {"passt", passt, false},
    {"pcap",
     [](Network& network) -> Backend {
         auto base = tap(network, 1);
         if (!base)
             return base;
         return make_pcap(*std::move(base), network.directory.path("pcap"), {.snap_length = 100});
     }},
};

// Our kernel, with a device of the case that is set up, in a network of its own.
class NetBackends : public testing::TestWithParam<Case> {
protected:
    // Why the case is not for this test; "" if it is.
    virtual std::string unfit() const { return {}; }
    virtual NetOptions options() const { return {}; }

    void SetUp() override
    {
        if (!enter_new_namespace())
            GTEST_SKIP() << "needs root";
        if (const std::string reason = unfit(); !reason.empty())
            GTEST_SKIP() << reason;
        auto backend = GetParam().make(network_);
        if (!network_.skip.empty())
            GTEST_SKIP() << network_.skip;
        ASSERT_TRUE(backend) << backend.error().what;
        kernel_.emplace(boot());
        if (network_.only_address) {
            write_proc(*kernel_, "net/ipv6/conf/default/accept_dad", "0");
            write_proc(*kernel_, "net/ipv6/conf/default/autoconf", "0");
        }
        auto device = NetDevice::add(*kernel_, *std::move(backend), options());
        ASSERT_TRUE(device) << device.error().what;
        device_.emplace(*std::move(device));
        ours_ = our_stack(*kernel_);
        const std::string name = ours_->name_of(device_->ifindex());
        ASSERT_EQ(ours_->configure(name, network_.address), 0);
        ASSERT_EQ(ours_->configure(name, network_.v6_address), 0);
    }

    // TCP between the other end and our address.
    void carry(const Place& far_place, const std::string& address)
    {
        const uint64_t bytes = GetParam().quick ? 32 << 20 : 4 << 20;
        EXPECT_EQ(transfer(*ours_, *network_.far, far_place, bytes), "");
        EXPECT_EQ(ping_pong(*ours_, *network_.far, far_place, 100), "");
        if (network_.reaches_us) {
            EXPECT_EQ(transfer(*network_.far, *ours_, address.c_str(), bytes), "");
            EXPECT_EQ(ping_pong(*network_.far, *ours_, address.c_str(), 100), "");
        }
    }

    const Watchdog watchdog_{80s, GetParam().name};
    Network network_;
    std::optional<Kernel> kernel_;
    std::optional<NetDevice> device_;
    std::unique_ptr<Stack> ours_;
};
INSTANTIATE_TEST_SUITE_P(All, NetBackends, testing::ValuesIn(cases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(NetBackends, CarriesTcpBothWays)
{
    carry(network_.far_place, network_.address);
    EXPECT_TRUE(device_->remove());
    EXPECT_EQ(ours_->name_of(device_->ifindex()), "");
}

TEST_P(NetBackends, CarriesTcpOfIpv6BothWays)
{
    if (!network_.has_ipv6())
        GTEST_SKIP() << "the host has no IPv6";
    carry(network_.far_v6_place, network_.v6_address);
}

// Sends datagrams with UDP_SEGMENT, and returns "" when all pieces arrive.
std::string send_segments(Stack& from, Stack& to, const std::string& address)
{
    constexpr uint16_t port = 4000;
    constexpr int piece = 1000, pieces = 40, datagrams = 5;
    const long receiver = to.socket(AF_INET, SOCK_DGRAM, 0);
    const long sender = from.socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
    std::string wrong;
    if (to.bind(receiver, &name, sizeof name) != 0 ||
        from.connect(sender, &name, sizeof name) != 0 ||
        from.setsockopt(sender, SOL_UDP, UDP_SEGMENT, piece) != 0)
        wrong = "no sockets";
    const std::string data(size_t{piece} * pieces, 'x');
    std::string got(data.size(), '\0');
    // One at a time: the buffer of a socket has room for that, whatever its skbs cost.
    for (int i = 0; i < datagrams && wrong.empty(); ++i) {
        if (from.send(sender, data.data(), data.size()) != static_cast<long>(data.size()))
            wrong = "not sent";
        for (int n = 0; n < pieces && wrong.empty(); ++n) {
            pollfd readable{static_cast<int>(receiver), POLLIN, 0};
            if (to.poll(&readable, 1, 5000) != 1 ||
                to.recv(receiver, got.data(), got.size()) != piece)
                wrong = "piece " + std::to_string(n) + " of datagram " + std::to_string(i);
        }
    }
    from.close(sender);
    to.close(receiver);
    return wrong;
}

long ethtool(Stack& stack, const std::string& interface, void* command)
{
    const long fd = stack.socket(AF_INET, SOCK_DGRAM, 0);
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = static_cast<char*>(command);
    const long result = stack.ioctl(fd, SIOCETHTOOL, &request);
    stack.close(fd);
    return result;
}

// What `ethtool -K INTERFACE FEATURE on` does. False: the interface cannot have it.
bool turn_on(Stack& stack, const std::string& interface, const std::string& feature)
{
    constexpr size_t most = 256;
    // Of words, for their alignment.
    std::vector<uint32_t> names((sizeof(ethtool_gstrings) + most * ETH_GSTRING_LEN) / 4);
    auto* const strings = reinterpret_cast<ethtool_gstrings*>(names.data());
    strings->cmd = ETHTOOL_GSTRINGS;
    strings->string_set = ETH_SS_FEATURES;
    if (ethtool(stack, interface, strings) != 0 || strings->len > most)
        return false;
    std::vector<uint32_t> blocks(sizeof(ethtool_sfeatures) / 4 + 2 * most / 32);
    auto* const features = reinterpret_cast<ethtool_sfeatures*>(blocks.data());
    features->cmd = ETHTOOL_SFEATURES;
    features->size = (strings->len + 31) / 32;
    for (size_t i = 0; i < strings->len; ++i) {
        if (reinterpret_cast<const char*>(strings->data + i * ETH_GSTRING_LEN) == feature) {
            features->features[i / 32].valid = 1u << i % 32;
            features->features[i / 32].requested = 1u << i % 32;
            return ethtool(stack, interface, features) == 0;
        }
    }
    return false;
}

class UdpSegments : public NetBackends {
protected:
    std::string unfit() const override
    {
        // The host's macvtap cuts what it receives.
        const std::set<std::string> able = {"tap", "persistent_tap", "raw", "socket_pair"};
        if (!able.contains(GetParam().name))
            return "no such offload, or that of another one of these";
        const auto tap = open_tap("");
        if (!tap)
            ADD_FAILURE() << tap.error().what;
        else if (!((*tap)->info().transmit_offload & NetOffload::uso))
            return "the host has no UDP segmentation";
        return {};
    }
};
INSTANTIATE_TEST_SUITE_P(All, UdpSegments, testing::ValuesIn(cases),
                         [](const auto& info) { return std::string(info.param.name); });

// Where the host can, 40 pieces are one frame in both directions.
TEST_P(UdpSegments, StayTogether)
{
    constexpr uint64_t few_frames = 100;  // of 200 pieces
    EXPECT_EQ(ping_pong(*ours_, *network_.far, far_address, 1), "");

    // The driver does not use it at first.
    EXPECT_TRUE(turn_on(*ours_, ours_->name_of(device_->ifindex()), "tx-udp-segmentation"));
    EXPECT_TRUE(!network_.second || turn_on(*network_.far, "eth0", "tx-udp-segmentation"));
    EXPECT_EQ(send_segments(*ours_, *network_.far, far_address), "");
    EXPECT_EQ(send_segments(*network_.far, *ours_, our_address), "");
    const auto count = device_->statistics();
    ASSERT_TRUE(count) << count.error().what;
    EXPECT_LT(count->sent_frames, few_frames);
    EXPECT_LT(count->received_frames, few_frames);
}

struct Traffic {
    uint64_t frames = 0, bytes = 0;
};

// How long the frames are that carry bulk data in each direction.
class TcpSegments : public NetBackends {
protected:
    static constexpr uint64_t longest_piece = 1500 + 14;  // the MTU and Ethernet's header
    static constexpr uint64_t bulk = 8 << 20;

    void SetUp() override
    {
        NetBackends::SetUp();
        if (!IsSkipped() && !network_.has_ipv6())
            GTEST_SKIP() << "the host has no IPv6";
    }

    // Of the frames that our kernel sends to an address, on the average.
    uint64_t sent_length(const char* address)
    {
        const Traffic before = sent();
        EXPECT_EQ(transfer(*ours_, *network_.far, address, bulk), "");
        return length_since(before, sent());
    }
    // Of those that it receives at an address.
    uint64_t received_length(const char* address)
    {
        const Traffic before = received();
        EXPECT_EQ(transfer(*network_.far, *ours_, address, bulk), "");
        return length_since(before, received());
    }

private:
    Traffic sent() const
    {
        const auto count = must(device_->statistics());
        return {count.sent_frames, count.sent_bytes};
    }
    Traffic received() const
    {
        const auto count = must(device_->statistics());
        return {count.received_frames, count.received_bytes};
    }
    static uint64_t length_since(const Traffic& before, const Traffic& after)
    {
        EXPECT_GT(after.bytes - before.bytes, bulk);
        return (after.bytes - before.bytes) / (after.frames - before.frames);
    }
};

std::vector<Case> cases_of(const std::set<std::string>& names)
{
    std::vector<Case> found;
    for (const Case& one : cases)
        if (names.contains(one.name))
            found.push_back(one);
    return found;
}
const auto name_of_case = [](const auto& info) { return std::string(info.param.name); };

// The others have no offloads.
INSTANTIATE_TEST_SUITE_P(All, TcpSegments,
                         testing::ValuesIn(cases_of({"tap", "tap_of_several_queues",
                                                     "persistent_tap",
                                                     "persistent_tap_of_several_queues", "macvtap",
                                                     "raw", "socket_pair", "fifos", "pcap"})),
                         name_of_case);

// Many pieces are one frame. Without the offload the average is below the length of a piece.
TEST_P(TcpSegments, StayTogether)
{
    constexpr uint64_t several_pieces = 4 * longest_piece;
    EXPECT_GT(sent_length(far_address), several_pieces);
    EXPECT_GT(received_length(our_address), several_pieces);
    EXPECT_GT(sent_length(far_v6_address), several_pieces);
    EXPECT_GT(received_length(our_v6_address), several_pieces);
}

// With the offload of one family alone. What a cable or a packet socket carries is not cut for
// a kernel that does without.
template <uint32_t offload>
class SegmentsOfOneFamily : public TcpSegments {
protected:
    NetOptions options() const override
    {
        NetOptions chosen;
        chosen.transmit_offload = chosen.receive_offload = NetOffload::checksum | offload;
        return chosen;
    }
};
using Ipv4Segments = SegmentsOfOneFamily<NetOffload::tso4>;
using Ipv6Segments = SegmentsOfOneFamily<NetOffload::tso6>;
INSTANTIATE_TEST_SUITE_P(All, Ipv4Segments, testing::ValuesIn(cases_of({"tap", "macvtap", "pcap"})),
                         name_of_case);
INSTANTIATE_TEST_SUITE_P(All, Ipv6Segments, testing::ValuesIn(cases_of({"tap", "macvtap", "pcap"})),
                         name_of_case);

TEST_P(Ipv4Segments, StayTogetherAlone)
{
    EXPECT_GT(sent_length(far_address), longest_piece);
    EXPECT_GT(received_length(our_address), longest_piece);
    EXPECT_LE(sent_length(far_v6_address), longest_piece);
    EXPECT_LE(received_length(our_v6_address), longest_piece);
}

TEST_P(Ipv6Segments, StayTogetherAlone)
{
    EXPECT_LE(sent_length(far_address), longest_piece);
    EXPECT_LE(received_length(our_address), longest_piece);
    EXPECT_GT(sent_length(far_v6_address), longest_piece);
    EXPECT_GT(received_length(our_v6_address), longest_piece);
}

// Longer than any frame of a switch: nothing of it is sent, and that is counted.
TEST(NetBackend, VdeDoesNotCutFrames)
{
    if (const std::string reason = why_no_vde(); !reason.empty())
        GTEST_SKIP() << reason;
    const Directory directory;
    const auto program = start_switch(directory.path("switch"));
    const auto from = open_vde(directory.path("switch"));
    ASSERT_TRUE(from) << from.error().what;
    const auto to = open_vde(directory.path("switch"));
    ASSERT_TRUE(to) << to.error().what;
    std::array<unsigned char, 12000> frame;
    const auto send = [&](size_t length, unsigned char last) {
        frame.fill(0xff);  // to all
        frame[6] = 2;      // from one
        frame[length - 1] = last;
        iovec parts[] = {{frame.data(), 1000}, {frame.data() + 1000, length - 1000}};
        const NetPacket packet(parts);
        return (*from)->transmit(0, {&packet, 1});
    };
    EXPECT_EQ(send(frame.size(), 1), 1u);
    EXPECT_EQ((*from)->refused(), 1u);
    EXPECT_EQ(send(1400, 7), 1u);
    EXPECT_EQ((*from)->refused(), 1u);
    pollfd readable{(*to)->poll_fd(0), POLLIN, 0};
    ASSERT_EQ(::poll(&readable, 1, 10'000), 1);
    std::array<unsigned char, 12000> got;
    const iovec into{got.data(), got.size()};
    ASSERT_EQ((*to)->receive(0, {&into, 1}), 1400) << "a part of the long one came";
    EXPECT_EQ(got[1399], 7);
}

}  // namespace
}  // namespace lkl::test
