// SPDX-License-Identifier: GPL-2.0-only
// The back ends that have no other side to be wrong: a network that is the program itself, and
// the file with what passes.
#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl/net.hpp>

#include "net_rig.hpp"
#include "temp_file.hpp"

namespace lkl::test {
namespace {

constexpr size_t waiting_frames = 1024;
constexpr size_t longest_frame = 65535 + 18;

class Counter final : public NetEvents {
public:
    bool readable(unsigned) noexcept override
    {
        ++count;
        return true;
    }
    void writable(unsigned) noexcept override {}

    std::atomic<unsigned> count = 0;
};

size_t transmit(NetBackend& backend, const std::vector<Bytes>& parts)
{
    std::vector<iovec> elements;
    for (const Bytes& part : parts)
        elements.push_back({const_cast<std::byte*>(part.data()), part.size()});
    const std::array packets{NetPacket(elements)};
    return backend.transmit(0, packets);
}

// What receive() has, up to `room` bytes, cut in two.
std::pair<ssize_t, Bytes> receive(NetBackend& backend, size_t room, size_t first)
{
    Bytes bytes(room);
    const std::array parts{iovec{bytes.data(), first}, iovec{bytes.data() + first, room - first}};
    const ssize_t length = backend.receive(0, parts);
    bytes.resize(length > 0 ? static_cast<size_t>(length) : 0);
    return {length, bytes};
}

TEST(UserNet, FramesPassWhole)
{
    std::vector<Bytes> seen;
    auto [backend, link] =
        make_user_net([&](auto frame) { seen.emplace_back(frame.begin(), frame.end()); });
    EXPECT_EQ(receive(*backend, 100, 10).first, 0);

    const Bytes frame = pattern(longest_frame);
    ASSERT_TRUE(link->send(frame));
    ASSERT_TRUE(link->send(std::span(frame).first(1)));
    EXPECT_EQ(receive(*backend, longest_frame, 12).second, frame);
    EXPECT_EQ(receive(*backend, longest_frame, 12).second, Bytes(frame.begin(), frame.begin() + 1));
    EXPECT_EQ(receive(*backend, longest_frame, 12).first, 0);

    EXPECT_EQ(transmit(*backend, {pattern(14, 2), {}, pattern(1500, 3)}), 1U);
    Bytes both = pattern(14, 2);
    const Bytes rest = pattern(1500, 3);
    both.insert(both.end(), rest.begin(), rest.end());
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0], both);
}

TEST(UserNet, RefusesWhatIsNoFrameOrTooMany)
{
    auto [backend, link] = make_user_net([](auto) {});
    EXPECT_FALSE(link->send({}));
    EXPECT_FALSE(link->send(Bytes(longest_frame + 1)));
    const Bytes frame = pattern(60);
    for (size_t i = 0; i < waiting_frames; ++i)
        ASSERT_TRUE(link->send(frame)) << i;
    EXPECT_FALSE(link->send(frame));
    EXPECT_EQ(receive(*backend, 60, 30).first, 60);
    EXPECT_TRUE(link->send(frame));
    EXPECT_FALSE(link->send(frame));
}

TEST(UserNet, AFrameThatDoesNotFitIsGoneAlone)
{
    auto [backend, link] = make_user_net([](auto) {});
    ASSERT_TRUE(link->send(pattern(101)));
    ASSERT_TRUE(link->send(pattern(100)));
    EXPECT_EQ(receive(*backend, 100, 50).first, -EMSGSIZE);
    EXPECT_EQ(receive(*backend, 100, 50).second, pattern(100));
}

TEST(UserNet, EventsComeWhileItIsStarted)
{
    auto [backend, link] = make_user_net([](auto) {});
    Counter events;
    const Bytes frame = pattern(60);
    ASSERT_TRUE(link->send(frame));
    EXPECT_EQ(events.count, 0U);
    backend->start(events);
    ASSERT_TRUE(link->send(frame));
    EXPECT_EQ(events.count, 1U);
    backend->stop();
    ASSERT_TRUE(link->send(frame));
    EXPECT_EQ(events.count, 1U);
}

TEST(UserNet, TheLinkOutlivesTheDevice)
{
    auto [backend, link] = make_user_net([](auto) {});
    ASSERT_TRUE(link->send(pattern(60)));
    backend.reset();
    EXPECT_FALSE(link->send(pattern(60)));
}

TEST(UserNet, ManyThreadsSendWhileItStopsAndEnds)
{
    constexpr unsigned threads = 4;
    auto [backend, link] = make_user_net([](auto) {});
    auto events = std::make_unique<Counter>();
    std::atomic<bool> gone = false;
    std::atomic<unsigned> taken = 0;
    std::vector<std::thread> senders;
    for (unsigned i = 0; i < threads; ++i) {
        senders.emplace_back([&, link = link, i] {
            const Bytes frame = pattern(60, i);
            while (!gone)
                taken += link->send(frame) ? 1 : 0;
            EXPECT_FALSE(link->send(frame));
        });
    }
    unsigned received = 0;
    while (received < 20000) {
        backend->start(*events);
        while (receive(*backend, 60, 14).first == 60)
            ++received;
        backend->stop();
    }
    // As stop() has returned nobody calls it any more.
    EXPECT_GT(events->count, 0U);
    events.reset();
    while (receive(*backend, 60, 14).first == 60)
        ++received;
    EXPECT_GE(taken + threads, received);
    backend.reset();
    gone = true;
    for (std::thread& sender : senders)
        sender.join();
}

// As draft-ietf-opsawg-pcap says, in the order of bytes of the machine.
struct Header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t reserved[2];
    uint32_t snap_length, link_type;
};
struct Record {
    uint32_t seconds, nanoseconds, captured, length;
};

struct Capture {
    Header header{};
    std::vector<std::pair<Record, Bytes>> records;
    size_t left = 0;  // bytes behind the last whole record
};

Capture read_capture(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    Capture capture;
    if (all.size() < sizeof capture.header)
        return capture;
    std::memcpy(&capture.header, all.data(), sizeof capture.header);
    size_t at = sizeof capture.header;
    for (Record record; all.size() - at >= sizeof record;) {
        std::memcpy(&record, all.data() + at, sizeof record);
        if (all.size() - at - sizeof record < record.captured)
            break;
        Bytes bytes(record.captured);
        if (!bytes.empty())
            std::memcpy(bytes.data(), all.data() + at + sizeof record, bytes.size());
        capture.records.emplace_back(record, std::move(bytes));
        at += sizeof record + record.captured;
    }
    capture.left = all.size() - at;
    return capture;
}

// A back end that is captured, and the one below.
struct Captured {
    explicit Captured(const std::string& path, const PcapOptions& options = {}, uint8_t header = 0)
    {
        auto fake = std::make_unique<FakeNet>(NetInfo{.name = "fake", .header = header});
        base = fake.get();
        auto made = make_pcap(std::move(fake), path, options);
        EXPECT_TRUE(made) << made.error().what;
        if (made)
            backend = *std::move(made);
    }

    FakeNet* base;
    std::unique_ptr<NetBackend> backend;
};

TEST(Pcap, HasTheFramesWithoutTheHeaderOfTheDevice)
{
    const TempFile file(100);  // which is gone afterwards
    Captured captured(file.path(), {}, 12);
    ASSERT_TRUE(captured.backend);
    EXPECT_EQ(captured.backend->info().name, "fake");
    const Bytes sent = pattern(1514, 5);
    EXPECT_EQ(transmit(*captured.backend, {Bytes(12), sent}), 1U);
    Bytes arrived(12);
    const Bytes frame = pattern(60, 6);
    arrived.insert(arrived.end(), frame.begin(), frame.end());
    captured.base->waiting.push_back(arrived);
    EXPECT_EQ(receive(*captured.backend, 2000, 12).second, arrived);
    EXPECT_EQ(receive(*captured.backend, 2000, 12).first, 0);

    const Capture capture = read_capture(file.path());
    EXPECT_EQ(capture.header.magic, 0xa1b23c4d);
    EXPECT_EQ(capture.header.major, 2);
    EXPECT_EQ(capture.header.minor, 4);
    EXPECT_EQ(capture.header.snap_length, 262144U);
    EXPECT_EQ(capture.header.link_type, 1U);
    ASSERT_EQ(capture.records.size(), 2U);
    EXPECT_EQ(capture.records[0].second, sent);
    EXPECT_EQ(capture.records[1].second, frame);
    EXPECT_EQ(capture.records[1].first.length, 60U);
    EXPECT_LT(capture.records[1].first.nanoseconds, 1000000000U);
    EXPECT_EQ(capture.left, 0U);
}

TEST(Pcap, CutsFramesToItsLength)
{
    const TempFile file(0);
    Captured captured(file.path(), {.snap_length = 100}, 12);
    ASSERT_TRUE(captured.backend);
    const Bytes frame = pattern(101);
    const Bytes one(frame.begin(), frame.begin() + 99);
    const Bytes two(frame.begin() + 99, frame.end());
    EXPECT_EQ(transmit(*captured.backend, {Bytes(12), one, two}), 1U);
    EXPECT_EQ(transmit(*captured.backend, {Bytes(12), one, {}}), 1U);
    ASSERT_EQ(captured.base->sent.size(), 2U);
    EXPECT_EQ(captured.base->sent[0].size(), 12U + 101U);

    const Capture capture = read_capture(file.path());
    EXPECT_EQ(capture.header.snap_length, 100U);
    ASSERT_EQ(capture.records.size(), 2U);
    EXPECT_EQ(capture.records[0].first.length, 101U);
    EXPECT_EQ(capture.records[0].second, Bytes(frame.begin(), frame.begin() + 100));
    EXPECT_EQ(capture.records[1].second, one);
}

TEST(Pcap, HasOnlyWhatWasTaken)
{
    const TempFile file(0);
    Captured captured(file.path());
    ASSERT_TRUE(captured.backend);
    captured.base->room = 1;
    EXPECT_EQ(transmit(*captured.backend, {pattern(60, 1)}), 1U);
    EXPECT_EQ(transmit(*captured.backend, {pattern(60, 2)}), 0U);
    captured.base->room = 1;
    EXPECT_EQ(transmit(*captured.backend, {pattern(60, 3)}), 1U);
    captured.base->error = -EPIPE;
    EXPECT_EQ(receive(*captured.backend, 100, 14).first, -EPIPE);

    const Capture capture = read_capture(file.path());
    ASSERT_EQ(capture.records.size(), 2U);
    EXPECT_EQ(capture.records[0].second, pattern(60, 1));
    EXPECT_EQ(capture.records[1].second, pattern(60, 3));
}

TEST(Pcap, SeveralDevicesGoOnWithOneFile)
{
    const TempFile file(0);
    Captured first(file.path(), {.append = true});
    Captured second(file.path(), {.append = true});
    ASSERT_TRUE(first.backend && second.backend);
    EXPECT_EQ(transmit(*first.backend, {pattern(60, 1)}), 1U);
    EXPECT_EQ(transmit(*second.backend, {pattern(70, 2)}), 1U);
    EXPECT_EQ(transmit(*first.backend, {pattern(80, 3)}), 1U);

    const Capture capture = read_capture(file.path());
    EXPECT_EQ(capture.header.magic, 0xa1b23c4d);
    ASSERT_EQ(capture.records.size(), 3U);
    EXPECT_EQ(capture.records[1].second, pattern(70, 2));
    EXPECT_EQ(capture.left, 0U);
}

TEST(Pcap, GoesOnWithNothingElse)
{
    const auto fails = [](const std::string& path) {
        auto made = make_pcap(std::make_unique<FakeNet>(NetInfo{}), path, {.append = true});
        EXPECT_FALSE(made);
        return made ? std::string() : made.error().what;
    };
    const TempFile file(0);
    file.write(0, std::vector<unsigned char>(24, 'x'));
    EXPECT_NE(fails(file.path()).find("holds something else"), std::string::npos);
    EXPECT_EQ(file.size(), 24U);
    const TempFile half(0);
    half.write(0, {0x4d, 0x3c, 0xb2, 0xa1});
    EXPECT_NE(fails(half.path()).find("holds something else"), std::string::npos);
    EXPECT_EQ(half.size(), 4U);
    EXPECT_NE(fails("/dev/full").find("/dev/full"), std::string::npos);
    EXPECT_NE(fails(testing::TempDir()).find("Is a directory"), std::string::npos);
}

// The file may be as large as two records and a half.
TEST(Pcap, AFullFileCostsNoPacket)
{
    const TempFile file(0);
    Captured captured(file.path());
    ASSERT_TRUE(captured.backend);
    rlimit before;
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{24 + 2 * (16 + 60) + 38, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (unsigned i = 0; i < 5; ++i)
        EXPECT_EQ(transmit(*captured.backend, {pattern(60, i)}), 1U);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(transmit(*captured.backend, {pattern(60, 5)}), 1U);
    EXPECT_EQ(captured.base->sent.size(), 6U);

    const Capture capture = read_capture(file.path());
    ASSERT_EQ(capture.records.size(), 2U);
    EXPECT_EQ(capture.records[1].second, pattern(60, 1));
    EXPECT_EQ(capture.left, 38U);
}

// Such as a Wireshark that is closed.
TEST(Pcap, AReaderThatLeavesCostsNoPacketAndNoSignal)
{
    const TempFile name(0);
    const std::string path = name.path() + ".fifo";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(reader, 0);
    Captured captured(path);
    ::unlink(path.c_str());
    ASSERT_TRUE(captured.backend);
    EXPECT_EQ(transmit(*captured.backend, {pattern(60)}), 1U);
    std::array<std::byte, 200> bytes;
    EXPECT_EQ(::read(reader, bytes.data(), bytes.size()), 24 + 16 + 60);
    ::close(reader);

    sigset_t mask;
    sigset_t pending;
    ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
    EXPECT_FALSE(::sigismember(&mask, SIGPIPE));
    EXPECT_EQ(transmit(*captured.backend, {pattern(60)}), 1U);
    EXPECT_EQ(transmit(*captured.backend, {pattern(60)}), 1U);
    EXPECT_EQ(captured.base->sent.size(), 3U);
    ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
    EXPECT_FALSE(::sigismember(&mask, SIGPIPE));
    ASSERT_EQ(::sigpending(&pending), 0);
    EXPECT_FALSE(::sigismember(&pending, SIGPIPE));
}

}  // namespace
}  // namespace lkl::test
