// SPDX-License-Identifier: GPL-2.0-only
// The fuzz target "frames": what an input says reaches the stack, and nothing of it stays.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <netinet/in.h>

#include <gtest/gtest.h>

#include <support/kernel.hpp>
#include <support/must.hpp>

#include "../../fuzz/library/frames.hpp"
#include "../../fuzz/library/packet.hpp"

namespace lkl::test {
namespace {

using fuzz::FramesTarget;
using Bytes = std::vector<uint8_t>;
using Answers = std::vector<FramesTarget::Answer>;

constexpr uint8_t syn = 2;
constexpr uint8_t reset = 4;
constexpr uint8_t push = 8;
constexpr uint8_t ack = 16;
constexpr uint8_t fin = 1;

constexpr size_t headers = 14 + 20 + 20;

// Lengths, sums and the kernel's address of hardware are for the target to fill in.
Bytes v4_packet(uint8_t protocol, Bytes rest)
{
    Bytes frame(34);
    frame[6] = 2;
    frame[12] = 8;
    frame[14] = 0x45;
    frame[20] = 0x40;  // not to be fragmented
    frame[22] = 64;
    frame[23] = protocol;
    fuzz::put32(frame, 26, 0x0a090001);
    fuzz::put32(frame, 30, 0x0a090002);
    frame.insert(frame.end(), rest.begin(), rest.end());
    return frame;
}

Bytes segment(uint16_t port, uint8_t flags, const std::string& data = "", uint32_t sequence = 0)
{
    Bytes header(20);
    fuzz::put16(header, 0, port);
    fuzz::put16(header, 2, fuzz::echo_port);
    fuzz::put32(header, 4, sequence);
    header[12] = 0x50;
    header[13] = flags;
    header[14] = 0x40;
    header.insert(header.end(), data.begin(), data.end());
    return v4_packet(IPPROTO_TCP, header);
}

Bytes ping()
{
    return v4_packet(IPPROTO_ICMP, {8, 0, 0, 0, 0, 1, 0, 1, 'p', 'i', 'n', 'g'});
}

void add(Bytes& input, const Bytes& frame, uint8_t flags = 0)
{
    input.push_back(flags);
    input.push_back(static_cast<uint8_t>(frame.size()));
    input.push_back(static_cast<uint8_t>(frame.size() >> 8));
    input.insert(input.end(), frame.begin(), frame.end());
}
Bytes one(const Bytes& frame, uint8_t flags = 0)
{
    Bytes input;
    add(input, frame, flags);
    return input;
}

bool holds(const Answers& answers, const FramesTarget::Answer& wanted)
{
    return std::find(answers.begin(), answers.end(), wanted) != answers.end();
}
FramesTarget::Answer tcp(uint8_t flags, size_t length)
{
    return {0x0800, IPPROTO_TCP, flags, length};
}

class FramesTest : public testing::Test {
protected:
    const Answers& run(const Bytes& input)
    {
        target->run(input);
        return target->answers();
    }

    const Watchdog watchdog{std::chrono::seconds(120), "frames"};
    const std::unique_ptr<FramesTarget> target = must(FramesTarget::start());
};

TEST_F(FramesTest, LengthsSumsAndAddressesAreMadeRight)
{
    const FramesTarget::Answer answer{0x0800, IPPROTO_ICMP, 0, ping().size()};
    EXPECT_EQ(run(one(ping())), Answers{answer});
    for (const uint8_t flag : {fuzz::frame_flags::keep_lengths, fuzz::frame_flags::keep_sums,
                               fuzz::frame_flags::keep_aim})
        EXPECT_EQ(run(one(ping(), flag)), Answers{}) << +flag;
    const uint8_t longer = 1 << fuzz::frame_flags::zeros_shift;
    EXPECT_TRUE(holds(run(one(ping(), longer)),
                      {0x0800, IPPROTO_ICMP, 0, ping().size() + fuzz::frame_zeros}));
}

// Answered by the station's own socket.
TEST_F(FramesTest, TheConnectionTakesData)
{
    const auto& answers = run(one(segment(fuzz::established_port, push | ack, "hello")));
    EXPECT_TRUE(holds(answers, tcp(push | ack, headers + 5))) << answers.size();
}

TEST_F(FramesTest, ConnectionsAreOpenedAndClosed)
{
    Bytes input;
    add(input, segment(5000, syn, "", 12345));
    add(input, segment(5000, ack));
    add(input, segment(5000, push | ack, "abc"));
    add(input, segment(5000, fin | ack));
    const auto& answers = run(input);
    EXPECT_TRUE(holds(answers, tcp(syn | ack, headers + 4)));
    EXPECT_TRUE(holds(answers, tcp(push | ack, headers + 3)));
    EXPECT_TRUE(holds(answers, tcp(fin | ack, headers)));
}

// Before TCP sees them (GRO): it acknowledges both at once. Not if they may be fragments,
// of packets with the same number.
TEST_F(FramesTest, FramesTogetherAreJoined)
{
    const auto acknowledgements = [&](bool alike) {
        Bytes input;
        Bytes first = segment(fuzz::established_port, ack, std::string(100, 'a'));
        Bytes second = segment(fuzz::established_port, ack, std::string(100, 'b'), 100);
        if (!alike)
            first[20] = second[20] = 0;
        add(input, first, fuzz::frame_flags::with_next);
        add(input, second);
        const auto& answers = run(input);
        return std::count(answers.begin(), answers.end(), tcp(ack, headers));
    };
    EXPECT_EQ(acknowledgements(false), 2);
    EXPECT_EQ(acknowledgements(true), 1);
}

TEST_F(FramesTest, ResetLeavesNothingBehind)
{
    const Bytes data = one(segment(fuzz::established_port, push | ack, "hello"));
    const Answers first = run(data);
    for (const uint8_t flags : {reset, static_cast<uint8_t>(fin | ack)}) {
        Bytes end = one(segment(fuzz::established_port, flags));
        add(end, segment(fuzz::established_port, push | ack, "hello"));
        EXPECT_FALSE(holds(run(end), tcp(push | ack, headers + 5)));
        EXPECT_EQ(run(data), first);
    }
    // So many that the rings have gone round, and whatever they may be.
    std::mt19937_64 random(1);
    for (int i = 0; i < 2000 && !HasFailure(); ++i) {
        Bytes input;
        for (unsigned frames = random() % 8; frames != 0; --frames) {
            Bytes frame = segment(static_cast<uint16_t>(random()), static_cast<uint8_t>(random()),
                                  std::string(random() % 64, 'x'));
            for (unsigned changes = random() % 4; changes != 0; --changes)
                frame[12 + random() % (frame.size() - 12)] = static_cast<uint8_t>(random());
            add(input, frame, static_cast<uint8_t>(random() % 64));
        }
        const Answers once = run(input);
        EXPECT_EQ(run(input), once) << "round " << i;
        if (i % 100 == 0) {
            EXPECT_EQ(run(data), first);
        }
    }
    EXPECT_EQ(run(data), first);
}

// Whatever the bytes are; more than any frame is long.
TEST_F(FramesTest, AnyBytesAreAnInput)
{
    std::mt19937_64 random(2);
    for (int i = 0; i < 300; ++i) {
        Bytes input(random() % 3000);
        std::generate(input.begin(), input.end(), [&] { return static_cast<uint8_t>(random()); });
        run(input);
    }
    EXPECT_FALSE(run(one(ping())).empty());
}

TEST(FramePackets, LengthsAndSumsAreThoseOfTheProtocols)
{
    // A datagram in a tunnel; its header is a well-known example, whose sum is 0xb861.
    Bytes inner{0x45, 0,    0,    0,    0, 0,    0x40, 0,    0x40, 17, 0, 0, 0xc0, 0xa8,
                0,    0x01, 0xc0, 0xa8, 0, 0xc7, 0x12, 0x34, 0,    7,  0, 0, 0,    0};
    inner.resize(115);
    Bytes frame = v4_packet(IPPROTO_IPIP, inner);
    fuzz::repair_lengths(frame);
    fuzz::repair_sums(frame);
    EXPECT_EQ(fuzz::get16(frame, 16), 135);  // of the outer packet
    EXPECT_EQ(fuzz::get16(frame, 36), 115);  // of the inner one
    EXPECT_EQ(fuzz::get16(frame, 58), 95);   // of the datagram
    EXPECT_EQ(fuzz::get16(frame, 44), 0xb861);
}

}  // namespace
}  // namespace lkl::test
