// SPDX-License-Identifier: GPL-2.0-only
// Queueing disciplines from text. The oracle is tc(8) itself: what it makes of the same
// words is recorded and sent to our kernel, whose answer must then be the same.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/linux/pkt_sched.h>

#include "network/common/inner_network.hpp"
#include "support/process.hpp"

namespace {

using namespace lkl::test;
using lkl::NetlinkAttributes;
using lkl::NetlinkMessage;
using lkl::NetlinkReplies;
using lkl::NetlinkView;

std::string hex(std::span<const std::byte> bytes)
{
    std::string text;
    for (const std::byte one : bytes) {
        std::array<char, 3> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x", std::to_integer<unsigned>(one));
        text += digits.data();
    }
    return text;
}

// The options as the kernel tells them, an attribute a line.
std::string describe(std::string_view kind, const lkl::NetlinkValue& options)
{
    std::string text(kind);
    std::span<const std::byte> rest = options.bytes();
    // Others are structures alone.
    const size_t structure = kind == "netem"                  ? sizeof(lkl_tc_netem_qopt)
                             : kind.find("fifo") != kind.npos ? sizeof(lkl_tc_fifo_qopt)
                                                              : 0;
    text += ' ' + hex(rest.first(structure)) + '\n';
    NetlinkAttributes(rest.subspan(structure))
        .for_each([&](uint16_t type, const lkl::NetlinkValue& value) {
            // Each has its own seed of randomness.
            if (kind != "netem" || type != LKL_TCA_NETEM_PRNG_SEED)
                text += std::to_string(type) + ": " + hex(value.bytes()) + '\n';
        });
    return text;
}

class Qdiscs : public testing::Test {
protected:
    Qdiscs()
    {
        must(net.set_up(ours));
        must(net.set_up(theirs));
    }

    // The request that tc makes of the words, sent to our kernel for the interface `theirs`.
    void let_tc_set(const std::string& place, const std::string& words)
    {
        namespace fs = std::filesystem;
        const std::string file = testing::TempDir() + "lkl-tc-" + std::to_string(getpid());
        const std::string line =
            "NETLINK_RECORD=" + file + " LD_PRELOAD=" + std::getenv("LKL_TESTS") +
            "/network/netlink_recorder.so unshare -n tc qdisc replace dev lo " + place + " " +
            words + " >/dev/null 2>&1";
        // The host's kernel may not know the kind: tc's own mistakes show in the record.
        (void)!std::system(line.c_str());
        std::ifstream input(file, std::ios::binary);
        const std::vector<char> text(std::istreambuf_iterator<char>(input), {});
        fs::remove(file);
        NetlinkReplies recorded;
        recorded.append(std::as_bytes(std::span(text)));
        bool found = false;
        recorded.for_each([&](const NetlinkView& view) {
            if (view.type() != LKL_RTM_NEWQDISC)
                return;
            found = true;
            auto head = view.family_header<lkl_tcmsg>();
            head.tcm_ifindex = theirs;
            NetlinkMessage message(LKL_RTM_NEWQDISC, view.flags());
            message.put(head);
            view.attributes<lkl_tcmsg>().for_each([&](uint16_t type, const lkl::NetlinkValue& one) {
                message.add_bytes(type, one.bytes());
            });
            const auto sent = net.request(std::move(message), "tc's request");
            EXPECT_EQ(error_of(sent), "") << words;
        });
        EXPECT_TRUE(found) << line;
    }

    std::string options(int index)
    {
        std::string text;
        NetlinkMessage message(LKL_RTM_GETQDISC, LKL_NLM_F_DUMP);
        message.put(lkl_tcmsg{});
        must(net.query(std::move(message), "list")).for_each([&](const NetlinkView& view) {
            if (view.family_header<lkl_tcmsg>().tcm_ifindex != index)
                return;
            const auto attributes = view.attributes<lkl_tcmsg>();
            text += describe(attributes[LKL_TCA_KIND].text(), attributes[LKL_TCA_OPTIONS]);
        });
        return text;
    }

    lkl::Kernel kernel = boot();
    lkl::Netlink net = must(lkl::Netlink::open(kernel));
    int ours = must(net.create_dummy("ours"));
    int theirs = must(net.create_dummy("theirs"));
};

TEST_F(Qdiscs, AreAsTcMakesThem)
{
    if (sanitized())
        GTEST_SKIP() << "a sanitizer's library must be the first that tc loads";
    if (std::system("command -v tc unshare >/dev/null") != 0)
        GTEST_SKIP() << "no tc(8)";
    for (const char* const words : {
             "pfifo",
             "pfifo limit 77",
             "bfifo limit 10k",
             "pfifo_head_drop limit 9",
             "fq",
             "fq limit 500 flow_limit 20 quantum 3028 initial_quantum 15140 maxrate 10mbit "
             "buckets 512 nopacing refill_delay 20ms orphan_mask 511 low_rate_threshold 1mbit "
             "ce_threshold 5ms horizon 2s horizon_drop",
             "fq_codel",
             "fq_codel limit 1000 flows 256 quantum 300 target 4ms interval 80ms "
             "ce_threshold 1ms memory_limit 4mb drop_batch 32 noecn",
             "codel limit 500 target 2ms interval 40ms ecn",
             "tbf rate 1mbit burst 32kbit latency 400ms",
             "tbf rate 0.5mbit burst 5kb latency 70ms peakrate 1mbit minburst 1540",
             "tbf rate 50gbit burst 1mb limit 3000000",
             "netem delay 100ms",
             "netem delay 100ms 10ms 25% loss 0.3% 20%",
             "netem delay 10ms reorder 25% 50%",
             "netem delay 10ms reorder 25% 50% gap 5",
             "netem duplicate 1% corrupt 0.1% limit 200",
             "netem loss random 12.5% rate 5kbit",
             "netem rate 100gbit",
             "cake",
             "cake bandwidth 20mbit diffserv4 dual-srchost nat wash ack-filter rtt 50ms overhead 8 "
             "mpu 64 memlimit 8mb no-split-gso",
             "cake besteffort lan flowblind raw",
             "htb default 1f",
             "htb default 20 r2q 5 direct_qlen 12",
         }) {
        const auto set = net.set_qdisc(ours, "root", words);
        ASSERT_EQ(error_of(set), "") << words;
        let_tc_set("root", words);
        const std::string expected = options(theirs);
        EXPECT_EQ(expected.find(std::string(words).substr(0, std::string(words).find(' '))), 0u)
            << words << ": " << expected;
        EXPECT_EQ(options(ours), expected) << words;
        // Not to be changed into the next one, but to be made.
        must(net.delete_qdisc(ours));
        must(net.delete_qdisc(theirs));
    }
}

TEST_F(Qdiscs, HavePlaces)
{
    must(net.set_qdisc(ours, "root handle 1:", "htb default 1"));
    must(net.set_qdisc(ours, "ingress", "ingress"));
    std::string seen;
    for (const lkl::Qdisc& one : must(net.qdiscs(ours)))
        seen += one.kind + ' ';
    EXPECT_EQ(seen, "htb ingress ");
    EXPECT_EQ(must(net.qdiscs(ours))[0].handle, 0x10000u);
    must(net.delete_qdisc(ours, "ingress"));
    EXPECT_EQ(must(net.qdiscs(ours)).size(), 1u);
    // No such class: what the kernel says.
    EXPECT_NE(error_of(net.set_qdisc(ours, "1:7", "pfifo")).find("Specified class not found"),
              std::string::npos)
        << error_of(net.set_qdisc(ours, "1:7", "pfifo"));
}

TEST_F(Qdiscs, BadWordsAreNamed)
{
    struct Case {
        const char* parent;
        const char* text;
        const char* error;
    };
    for (const Case& one : {
             Case{"root", "warp 9", "unknown kind \"warp\""},
             Case{"root", "", "unknown kind \"\""},
             Case{"root", "netem dealy 10ms", "unknown word \"dealy\""},
             Case{"root", "netem delay", "\"delay\" needs a time"},
             Case{"root", "netem delay 10xs", "\"10xs\" of \"delay\" is no time"},
             Case{"root", "netem delay -1ms", "\"-1ms\" of \"delay\" is no time"},
             Case{"root", "netem loss 101%", "\"101%\" of \"loss\" is out of range"},
             Case{"root", "netem reorder 5%", "\"reorder\" needs a \"delay\""},
             Case{"root", "netem delay 1ms 1ms 1% 1%", "unknown word \"1%\""},
             Case{"root", "fq limit many", "\"many\" of \"limit\" is no number"},
             Case{"root", "fq limit 4294967296", "\"4294967296\" of \"limit\" is out of range"},
             Case{"root", "fq quantum 1kk", "\"1kk\" of \"quantum\" is no size"},
             Case{"root", "fq buckets 1000", "must be a power of two"},
             Case{"root", "fq maxrate fast", "\"fast\" of \"maxrate\" is no rate"},
             Case{"root", "tbf rate 1mbit", "tbf needs"},
             Case{"root", "noqueue now", "unknown word \"now\""},
             Case{"side", "fq", "unknown parent \"side\""},
             Case{"root handle x", "fq", "bad handle in \"root handle x\""},
         }) {
        const auto set = net.set_qdisc(ours, one.parent, one.text);
        EXPECT_EQ(code_of(set), LKL_EINVAL) << one.text;
        EXPECT_NE(error_of(set).find(one.error), std::string::npos)
            << one.text << ": " << error_of(set);
    }
    EXPECT_EQ(must(net.link(ours)).qdisc, "noqueue");
}

using Faults = TwoHosts;

TEST_F(Faults, NetemDelaysARoundTrip)
{
    must(net.add_address(near, prefix("10.0.0.1/24")));
    must(far_net.add_address(far, prefix("10.0.0.2/24")));
    const auto before = round_trip(ip("10.0.0.1"), ip("10.0.0.2"));
    ASSERT_TRUE(before);
    EXPECT_LT(*before, 20.0);
    must(net.set_qdisc(near, "root", "netem delay 50ms"));
    const auto slow = round_trip(ip("10.0.0.1"), ip("10.0.0.2"));
    ASSERT_TRUE(slow);
    EXPECT_GE(*slow, 50.0);
    must(far_net.set_qdisc(far, "root", "netem delay 50ms"));
    const auto both = round_trip(ip("10.0.0.1"), ip("10.0.0.2"));
    ASSERT_TRUE(both);
    EXPECT_GE(*both, 100.0);
    must(net.set_qdisc(near, "root", "netem loss 100%"));
    EXPECT_FALSE(round_trip(ip("10.0.0.1"), ip("10.0.0.2"), 1));
    const auto dropping = must(net.qdiscs(near));
    ASSERT_EQ(dropping.size(), 1u);
    EXPECT_GE(dropping[0].drops, 1u);
}

// 20 packets of 1,400 bytes at 1 Mbit/s take more than 200 ms, after a burst of two.
TEST_F(Faults, TbfHoldsItsRate)
{
    must(net.add_address(near, prefix("10.0.0.1/24")));
    must(far_net.add_address(far, prefix("10.0.0.2/24")));
    must(net.set_qdisc(near, "root", "tbf rate 1mbit burst 3000 latency 1s"));
    Socket sender(kernel, LKL_AF_INET, LKL_SOCK_DGRAM);
    auto receiver = far_away([&] { return Socket(kernel, LKL_AF_INET, LKL_SOCK_DGRAM); });
    ASSERT_EQ(receiver.bind(ip("10.0.0.2"), 9000), 0);
    ASSERT_EQ(sender.connect(ip("10.0.0.2"), 9000), 0);
    const std::string data(1400, 'x');
    constexpr int packets = 20;
    // A host that stops meanwhile makes it slower, never faster.
    double fastest = 1e9;
    for (int round = 0; round < 5 && fastest >= 1000.0; ++round) {
        const uint64_t start = now_ns();
        for (int i = 0; i < packets; ++i)
            ASSERT_EQ(sender.send(data), 1400);
        for (int i = 0; i < packets; ++i)
            ASSERT_EQ(receiver.receive_text().size(), 1400u);
        const double ms = static_cast<double>(now_ns() - start) / 1e6;
        EXPECT_GE(ms, 200.0);
        fastest = std::min(fastest, ms);
    }
    EXPECT_LT(fastest, 1000.0);
}

}  // namespace
