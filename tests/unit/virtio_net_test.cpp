// SPDX-License-Identifier: GPL-2.0-only
// The network device: what a driver may do, and all that it may not.
#include <array>
#include <cerrno>
#include <random>

#include <unistd.h>

#include "net_rig.hpp"

namespace lkl::test {
namespace {

using virtio::NetHeader;
namespace v = virtio;

constexpr uint32_t header_size = sizeof(NetHeader);

NetInfo with_everything()
{
    NetInfo info;
    info.name = "fake";
    info.header = header_size;
    info.transmit_offload = info.receive_offload = NetOffload::all;
    return info;
}

Bytes frame_of(const Bytes& packet, size_t header)
{
    return {packet.begin() + static_cast<ptrdiff_t>(header), packet.end()};
}

// What the back end gives: a header of its own before the frame.
Bytes with_header(const Bytes& frame, NetHeader header = {})
{
    Bytes all(sizeof header);
    std::memcpy(all.data(), &header, sizeof header);
    all.insert(all.end(), frame.begin(), frame.end());
    return all;
}

TEST(NetDevice, OffersWhatTheBackEndHas)
{
    NetRig plain;
    EXPECT_EQ(plain.driver.offered() & (v::net_csum | v::net_guest_csum | v::net_host_tso4 |
                                        v::net_mq | v::net_mtu | v::net_host_uso),
              0u);
    EXPECT_TRUE(plain.driver.offered() & v::net_mac);
    NetInfo info = with_everything();
    info.queue_pairs = 4;
    info.mtu = 9000;
    info.mac = {2, 1, 2, 3, 4, 5};
    NetRig rich(info);
    const uint64_t all = v::host_features(NetOffload::all) | v::guest_features(NetOffload::all) |
                         v::net_mq | v::net_mtu | v::net_status | v::net_mrg_rxbuf;
    EXPECT_EQ(rich.driver.offered() & all, all);
    EXPECT_EQ(rich.driver.config<uint16_t>(8), 4);
    EXPECT_EQ(rich.driver.config<uint16_t>(10), 9000);
    EXPECT_EQ(rich.driver.config<uint8_t>(0), 2);
    EXPECT_EQ(rich.driver.config<uint8_t>(5), 5);
    EXPECT_EQ(rich.driver.config<uint16_t>(6), 1) << "the link is up";
    EXPECT_EQ(rich.driver.config<uint64_t>(12), 0u);
}

TEST(NetDevice, MakesUpALocalMacAddress)
{
    NetRig one, two;
    EXPECT_EQ(one.driver.config<uint8_t>(0) & 3, 2);
    EXPECT_NE(one.driver.config<uint32_t>(0), two.driver.config<uint32_t>(0));
}

TEST(NetDevice, RefusesFeaturesThatMakeNoSense)
{
    NetRig rig(with_everything());
    EXPECT_FALSE(rig.driver.negotiate(rig.driver.offered() & ~v::net_csum));
    EXPECT_FALSE(rig.driver.negotiate(rig.driver.offered() & ~v::net_guest_csum));
    EXPECT_FALSE(rig.driver.negotiate(rig.driver.offered() & ~v::net_ctrl_vq));
    EXPECT_TRUE(rig.driver.negotiate(rig.driver.offered()));
}

class HeaderLength : public testing::TestWithParam<uint8_t> {};
INSTANTIATE_TEST_SUITE_P(NetDevice, HeaderLength, testing::Values(0, 10, 12),
                         [](const auto& info) { return std::to_string(info.param); });

// However the driver cuts header and frame into buffers.
TEST_P(HeaderLength, SendsTheSameHoweverItIsCut)
{
    NetInfo info;
    info.header = GetParam();
    if (info.header != 0)
        info.transmit_offload = NetOffload::all;
    NetRig rig(info);
    rig.start();
    const Bytes frame = pattern(200);
    NetHeader header{};
    if (info.header != 0)
        header = {v::header_needs_csum, v::gso_tcpv4, 54, 100, 34, 16, 0xffff};
    const Bytes all = with_header(frame, header);
    for (uint32_t cut = 1; cut < 40; ++cut) {
        const uint64_t at = rig.put(all.data(), all.size());
        const auto rest = static_cast<uint32_t>(all.size()) - cut;
        ASSERT_TRUE(rig.submit(1, {{{at, cut, false}, {at + cut, rest, false}}}));
        // Not neighbours, so that they stay two.
        const uint64_t first = rig.put(all.data(), cut);
        rig.arena.allocate(64);
        const uint64_t second = rig.put(all.data() + cut, rest);
        ASSERT_TRUE(rig.submit(1, {{{first, cut, false}, {second, rest, false}}}));
        while (rig.queues[1]->get()) {}
        rig.queues[1]->enable_interrupts();
    }
    ASSERT_EQ(rig.net->sent.size(), 78u);
    header.num_buffers = 0;
    for (const Bytes& sent : rig.net->sent) {
        ASSERT_EQ(sent.size(), frame.size() + info.header);
        EXPECT_EQ(std::memcmp(sent.data(), &header, info.header), 0);
        EXPECT_EQ(frame_of(sent, info.header), frame);
    }
    EXPECT_EQ(rig.device.statistics().sent, 78u);
    EXPECT_EQ(rig.device.statistics().bytes_sent, 78u * frame.size());
}

TEST_P(HeaderLength, ReceivesIntoOneBuffer)
{
    NetInfo info;
    info.header = GetParam();
    NetRig rig(info);
    rig.start();
    const uint64_t at = rig.offer(2048);
    rig.offer(2048);  // so that it is not the end of all room
    const Bytes frame = pattern(300);
    rig.net->waiting.push_back(with_header(frame));
    auto& packet = rig.net->waiting.back();
    packet.erase(packet.begin(), packet.begin() + (header_size - info.header));
    ASSERT_TRUE(rig.net->events);
    EXPECT_TRUE(rig.net->events->readable(0));
    const auto used = rig.queues[0]->get();
    ASSERT_TRUE(used);
    EXPECT_EQ(used->length, header_size + frame.size());
    EXPECT_EQ(rig.arena.get<uint16_t>(at + 10), 1) << "num_buffers";
    EXPECT_EQ(std::memcmp(rig.arena.at(at + header_size), frame.data(), frame.size()), 0);
    EXPECT_EQ(rig.line.count(), 1u);
}

// Each pair of a packet's and a buffer's length, the first buffer's header in pieces.
TEST(NetDevice, SpreadsALongPacketOverBuffers)
{
    for (const uint32_t room : {13u, 14u, 100u, 1526u, 4096u}) {
        NetRig rig(with_everything(), {.queue_size = 1024}, 64 << 20);
        rig.start(0, 1024);
        std::vector<uint64_t> places;
        for (int i = 0; i < 1000; ++i) {
            const uint64_t at = rig.arena.allocate(room + 64);
            places.push_back(at);
            const Buffer buffers[] = {{at, 5, true}, {at + 5, 6, true}, {at + 11, room - 11, true}};
            ASSERT_TRUE(
                rig.queues[0]->add(room % 2 ? std::span(buffers)
                                            : std::span<const Buffer>({{Buffer{at, room, true}}})));
        }
        rig.driver.kick(0);
        size_t next = 0;
        for (const size_t length : {14u, 60u, 1514u, 5000u, 65549u}) {
            if ((length + header_size + room - 1) / room >
                std::min<size_t>(places.size() - next, 512))
                continue;
            const Bytes frame = pattern(length, static_cast<unsigned>(length));
            rig.net->waiting.push_back(with_header(frame));
            rig.net->events->readable(0);
            Bytes got;
            const uint16_t count = rig.arena.get<uint16_t>(places[next] + 10);
            EXPECT_EQ(count, (length + header_size + room - 1) / room) << room << ' ' << length;
            for (uint16_t i = 0; i < count; ++i) {
                const auto used = rig.queues[0]->get();
                ASSERT_TRUE(used) << room << ' ' << length << ' ' << i;
                const std::byte* from = rig.arena.at(places[next++]);
                got.insert(got.end(), from, from + used->length);
            }
            EXPECT_EQ(frame_of(got, header_size), frame) << room << ' ' << length;
            EXPECT_FALSE(rig.queues[0]->get());
        }
    }
}

TEST(NetDevice, WithoutMergingAPacketFitsOneBufferOrIsLost)
{
    NetRig rig;
    rig.start(v::net_mrg_rxbuf);
    rig.offer(200);
    rig.offer(2000);
    rig.net->waiting.push_back(pattern(500));
    rig.net->waiting.push_back(pattern(100));
    rig.net->waiting.push_back(pattern(500));
    rig.net->events->readable(0);
    EXPECT_EQ(rig.queues[0]->get()->length, header_size + 100);
    EXPECT_EQ(rig.queues[0]->get()->length, header_size + 500);
    EXPECT_EQ(rig.device.statistics().unwanted, 1u);
}

TEST(NetDevice, WaitsForRoomAndGoesOnByItself)
{
    NetRig rig;
    rig.start();
    rig.net->waiting.push_back(pattern(100));
    EXPECT_FALSE(rig.net->events->readable(0)) << "no buffer yet";
    EXPECT_FALSE(rig.queues[0]->get());
    rig.offer(2048);  // notifies, because the device asked for it
    EXPECT_TRUE(rig.queues[0]->get());
    EXPECT_GE(rig.device.statistics().starved, 1u);
}

TEST(NetDevice, DropsWhatIsNoPacketOrWasNotAgreedOn)
{
    NetRig rig(with_everything());
    rig.start(v::guest_features(NetOffload::all));
    rig.offer(70000);
    NetHeader needs{};
    needs.flags = v::header_needs_csum;
    NetHeader segments{};
    segments.gso_type = v::gso_tcpv4;
    segments.gso_size = 1000;
    NetHeader unknown{};
    unknown.gso_type = 77;
    rig.net->waiting.push_back(with_header(pattern(100), needs));
    rig.net->waiting.push_back(with_header(pattern(100), segments));
    rig.net->waiting.push_back(with_header(pattern(100), unknown));
    rig.net->waiting.push_back(with_header(pattern(13)));
    rig.net->waiting.push_back(pattern(7));
    rig.net->events->readable(0);
    EXPECT_FALSE(rig.queues[0]->get());
    EXPECT_EQ(rig.device.statistics().unwanted, 5u);
    rig.net->waiting.push_back(with_header(pattern(100)));
    rig.net->events->readable(0);
    EXPECT_TRUE(rig.queues[0]->get()) << "the buffer is still there";
}

// Every length and header that is wrong is counted, and nothing of it is sent.
TEST(NetDevice, RefusesBadPacketsOfTheDriver)
{
    NetRig rig(with_everything());
    rig.start(v::net_host_uso | v::net_host_ecn, 256);
    const Bytes frame = pattern(100);
    unsigned bad = 0;
    const auto refused = [&] {
        ++bad;
        EXPECT_TRUE(rig.queues[1]->get());
        rig.queues[1]->enable_interrupts();
        EXPECT_EQ(rig.device.statistics().bad_packets, bad);
        EXPECT_EQ(rig.net->sent.size(), 0u);
        EXPECT_FALSE(rig.needs_reset());
    };
    const uint64_t at = rig.arena.allocate(100000);
    for (uint32_t length = 1; length < header_size + 14; ++length) {
        rig.submit(1, {{{at, length, false}}});
        refused();
    }
    rig.submit(1, {{{at, 65536 + 4 + 14 + header_size, false}}});
    refused();
    rig.submit(1, {{{at, 100, false}, {at + 200, 100, true}}});
    refused();
    rig.submit(1, {{{at, 100, true}}});
    refused();
    for (int type = 0; type < 256; ++type) {
        NetHeader header{};
        header.flags = v::header_needs_csum;
        header.gso_type = static_cast<uint8_t>(type);
        header.gso_size = 1000;
        if (type == v::gso_none || type == v::gso_tcpv4 || type == v::gso_tcpv6)
            continue;
        rig.send(header, frame);
        refused();
    }
    NetHeader no_size{};
    no_size.gso_type = v::gso_tcpv4;
    rig.send(no_size, frame);
    refused();
    rig.send({}, frame);
    EXPECT_EQ(rig.net->sent.size(), 1u) << "the device goes on";
}

TEST(NetDevice, ABadChainAsksForAReset)
{
    for (const uint16_t queue : {uint16_t{0}, uint16_t{1}, uint16_t{2}}) {
        NetRig rig;
        rig.start();
        rig.queues[queue]->put_descriptor(0, {rig.arena.size() - 10, 100, 0, 0});
        rig.queues[queue]->make_available(0);
        rig.driver.kick(queue);
        if (queue == 0)
            rig.net->events->readable(0);
        EXPECT_TRUE(rig.needs_reset()) << queue;
        EXPECT_EQ(rig.device.statistics().bad_chains, 1u) << queue;
        // Nothing more happens, and a reset makes it good.
        rig.driver.kick(queue);
        EXPECT_EQ(rig.device.statistics().bad_chains, 1u) << queue;
        rig.start();
        rig.send({}, pattern(60));
        EXPECT_EQ(rig.net->sent.size(), 1u) << queue;
    }
}

TEST(NetDevice, BuffersThatAreNoRoomAreGivenBack)
{
    NetRig rig;
    rig.start();
    const uint64_t at = rig.arena.allocate(4096);
    for (uint32_t length = 1; length <= header_size; ++length) {
        rig.queues[0]->add({{{at, length, true}}});
        rig.driver.kick(0);
        const auto used = rig.queues[0]->get();
        ASSERT_TRUE(used) << length;
        EXPECT_EQ(used->length, 0u);
        EXPECT_EQ(rig.device.statistics().bad_packets, length);
    }
    rig.queues[0]->add({{{at, 100, false}, {at + 100, 100, true}}});
    rig.driver.kick(0);
    EXPECT_TRUE(rig.queues[0]->get());
    EXPECT_FALSE(rig.needs_reset());
}

TEST(NetDevice, WhatTheBackEndDoesNotTakeComesAgainInOrder)
{
    NetRig rig;
    rig.start();
    rig.net->room = 2;
    for (unsigned i = 0; i < 5; ++i)
        rig.send({}, pattern(60 + i));
    EXPECT_EQ(rig.net->sent.size(), 2u);
    rig.net->room = 1;
    rig.net->events->writable(0);
    EXPECT_EQ(rig.net->sent.size(), 3u);
    rig.net->room = 100;
    rig.net->events->writable(0);
    ASSERT_EQ(rig.net->sent.size(), 5u);
    for (unsigned i = 0; i < 5; ++i)
        EXPECT_EQ(rig.net->sent[i], pattern(60 + i));
    EXPECT_EQ(rig.net->forgotten, 0u);
    rig.net->room = 0;
    rig.send({}, pattern(60));
    rig.driver.write(mmio::status, 0);
    EXPECT_EQ(rig.net->forgotten, 1u) << "a reset forgets it";
}

// Of a kernel that is idle when the test says so.
struct FakeWatcher final : posix::EventSource::Watcher {
    void look_again() noexcept override { ++looks; }
    bool takes_over() const noexcept override { return others; }
    uint64_t idle_times() const noexcept override { return idle; }

    unsigned looks = 0;
    uint64_t idle = 0;
    bool others = true;
};

class WatchedNet : public testing::Test {
protected:
    void SetUp() override
    {
        rig.net->descriptor = STDIN_FILENO;  // nobody looks at it
        rig.start(0, 256);
        output->set_watcher(&watcher);
    }

    void send_one() { rig.send({}, pattern(100, ++number)); }

    // Sends until a packet is left to the watcher. The machine may be busy, so that what
    // should come densely does not at once.
    void send_densely()
    {
        for (int tries = 0; tries < 10'000 && !output->pending(); ++tries) {
            send_one();
            reclaim();
        }
        ASSERT_TRUE(output->pending());
        ASSERT_EQ(watcher.looks, 1);
        ASSERT_EQ(rig.net->sent.size(), number - 1);
    }

    void send_all_at_once()
    {
        for (int i = 0; i < 1000; ++i) {
            send_one();
            reclaim();
        }
        EXPECT_EQ(rig.net->sent.size(), number);
        EXPECT_EQ(watcher.looks, 0);
    }

    void reclaim()
    {
        while (rig.queues[NetRig::transmit_queue]->get()) {}
    }

    NetRig rig;
    posix::EventSource* const output = rig.device.sources()[1];
    FakeWatcher watcher;
    unsigned number = 0;
};

TEST_F(WatchedNet, DensePacketsAreLeftToTheWatcher)
{
    for (int i = 0; i < 8; ++i)
        send_one();
    EXPECT_EQ(rig.net->sent.size(), 8) << "a few are sent at once";
    reclaim();
    send_densely();
    // The driver need not say more until they have been seen.
    send_one();
    send_one();
    EXPECT_EQ(rig.net->sent.size(), number - 3);
    EXPECT_EQ(watcher.looks, 1);
    output->ready();
    ASSERT_EQ(rig.net->sent.size(), number);
    EXPECT_FALSE(output->pending());
    for (unsigned i = 0; i < number; ++i)
        ASSERT_EQ(rig.net->sent[i], pattern(100, i + 1)) << i;
    reclaim();
    // A kernel that is idle now and then has time for them.
    for (int i = 0; i < 100; ++i) {
        ++watcher.idle;
        send_one();
        reclaim();
        ASSERT_EQ(rig.net->sent.size(), number);
    }
}

TEST_F(WatchedNet, NothingIsLeftWhereNobodyElseIsOrItIsDoneAtOnce)
{
    watcher.others = false;
    send_all_at_once();
    watcher.others = true;
    rig.net->descriptor = -1;
    send_all_at_once();
}

// A driver that goes on and on does not keep the watcher from its other work.
TEST_F(WatchedNet, TheWatcherSendsOneBatchAtATime)
{
    send_densely();
    const size_t before = rig.net->sent.size();
    while (number - before < 100)
        send_one();
    output->ready();
    EXPECT_EQ(rig.net->sent.size(), before + 64);
    EXPECT_TRUE(output->pending());
    output->ready();
    EXPECT_EQ(rig.net->sent.size(), number);
    EXPECT_FALSE(output->pending());
}

TEST_F(WatchedNet, WhatIsLeftIsSentBeforeAReset)
{
    send_densely();
    rig.driver.write(mmio::status, 0);
    EXPECT_EQ(rig.net->sent.size(), number);
    EXPECT_FALSE(output->pending());
}

TEST_F(WatchedNet, WhatIsLeftIsSentWhenTheDeviceIsDrained)
{
    send_densely();
    rig.device.drain();
    EXPECT_EQ(rig.net->sent.size(), number);
    EXPECT_FALSE(output->pending());
}

TEST(NetDevice, LinkDownLosesPacketsAndTellsTheDriver)
{
    NetRig rig;
    rig.start();
    rig.offer(2048);
    const auto generation = rig.driver.read(mmio::config_generation);
    rig.device.set_link(false);
    EXPECT_NE(rig.driver.read(mmio::config_generation), generation);
    EXPECT_EQ(rig.driver.config<uint16_t>(6), 0);
    rig.send({}, pattern(60));
    EXPECT_EQ(rig.net->sent.size(), 0u);
    EXPECT_EQ(rig.device.statistics().lost_link_down, 1u);
    rig.net->waiting.push_back(pattern(60));
    rig.net->events->readable(0);
    EXPECT_FALSE(rig.queues[0]->get());
    rig.device.set_link(true);
    EXPECT_EQ(rig.driver.config<uint16_t>(6), 1);
    rig.net->events->readable(0);
    EXPECT_FALSE(rig.queues[0]->get()) << "what came while it was down is lost";
    rig.net->waiting.push_back(pattern(60));
    rig.net->events->readable(0);
    EXPECT_TRUE(rig.queues[0]->get());
}

TEST(NetDevice, ABackEndThatEndsIsALinkThatIsDown)
{
    NetRig rig;
    rig.start();
    rig.offer(2048);
    rig.net->error = -EPIPE;
    rig.net->events->readable(0);
    EXPECT_EQ(rig.driver.config<uint16_t>(6), 0);
    EXPECT_FALSE(rig.needs_reset());
}

class Control : public testing::Test {
protected:
    void SetUp() override { rig.start(); }

    // The answer to a command of these bytes.
    int command(const Bytes& bytes)
    {
        const uint64_t at = rig.put(bytes.data(), bytes.size());
        const uint64_t answer = rig.arena.allocate(1);
        rig.arena.put<uint8_t>(answer, 0xee);
        const uint16_t queue = static_cast<uint16_t>(rig.queues.size() - 1);
        rig.submit(queue, {{{at, static_cast<uint32_t>(bytes.size()), false}, {answer, 1, true}}});
        EXPECT_TRUE(rig.queues[queue]->get());
        rig.queues[queue]->enable_interrupts();
        return rig.arena.get<uint8_t>(answer);
    }
    static Bytes bytes(std::initializer_list<int> values)
    {
        Bytes all;
        for (const int value : values)
            all.push_back(static_cast<std::byte>(value));
        return all;
    }

    NetRig rig{[] {
        NetInfo info = with_everything();
        info.queue_pairs = 3;
        return info;
    }()};
};

TEST_F(Control, SetsTheNumberOfQueuePairs)
{
    EXPECT_EQ(command(bytes({4, 0, 3, 0})), 0);
    EXPECT_EQ(rig.net->queue_pairs, 3u);
    EXPECT_EQ(command(bytes({4, 0, 0, 0})), 1);
    EXPECT_EQ(command(bytes({4, 0, 4, 0})), 1);
    EXPECT_EQ(command(bytes({4, 0, 1})), 1);
    EXPECT_EQ(command(bytes({4, 0, 1, 0, 0})), 1);
    EXPECT_EQ(command(bytes({4, 1, 1, 0})), 1);
    EXPECT_EQ(rig.net->queue_pairs, 3u);
    EXPECT_EQ(rig.device.statistics().bad_commands, 5u);
}

TEST_F(Control, SetsTheOffloadsOfReception)
{
    EXPECT_EQ(rig.net->receive_offload, NetOffload::all);
    EXPECT_EQ(command(bytes({5, 0, 2, 0, 0, 0, 0, 0, 0, 0})), 0);
    EXPECT_EQ(rig.net->receive_offload, NetOffload::checksum);
    EXPECT_EQ(command(bytes({5, 0, 1, 0, 0, 0, 0, 0, 0, 0})), 1) << "not one of reception";
    EXPECT_EQ(command(bytes({5, 0, 2, 0})), 1);
}

TEST_F(Control, RefusesWhatItDoesNotKnow)
{
    EXPECT_EQ(command(bytes({0, 0, 1})), 1);
    EXPECT_EQ(command(bytes({200, 7})), 1);
    EXPECT_EQ(command(bytes({4})), 1);
    EXPECT_FALSE(rig.needs_reset());
}

// A driver that has lost its mind, while packets come and go.
TEST(NetDevice, SurvivesRandomRings)
{
    std::mt19937 random(4711);
    const auto draw = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
    for (int life = 0; life < 300; ++life) {
        NetRig rig(with_everything(), {}, 1 << 20);
        rig.start(0, 16);
        for (int step = 0; step < 60; ++step) {
            const auto number = static_cast<uint16_t>(draw(3));
            FakeQueue& queue = *rig.queues[number];
            for (uint16_t i = 0; i < 16; ++i) {
                const uint64_t address = draw(8) ? draw(1 << 20) : uint64_t{random()} << draw(33);
                queue.put_descriptor(
                    i, {address, draw(3) ? draw(3000) : static_cast<uint32_t>(random()),
                        static_cast<uint16_t>(draw(8)), static_cast<uint16_t>(draw(18))});
            }
            const auto more = static_cast<uint16_t>(draw(4));
            for (uint16_t i = 0; i < more; ++i)
                queue.make_available(static_cast<uint16_t>(draw(17)));
            rig.net->room = draw(5);
            for (uint32_t i = draw(4); i != 0; --i)
                rig.net->waiting.push_back(pattern(draw(70000)));
            rig.driver.kick(number);
            rig.net->events->readable(0);
            rig.net->events->writable(0);
            if (draw(20) == 0)
                rig.device.set_link(draw(2) != 0);
        }
    }
}

}  // namespace
}  // namespace lkl::test
