// SPDX-License-Identifier: GPL-2.0-only
// Back ends of a stream of bytes, fifos and the socket of passt: what becomes of packets
// whose length is wrong. The test is the other end.
// ctest: TIMEOUT=120
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl/net.hpp>

#include "common/stack.hpp"
#include "platform/posix/descriptor.hpp"
#include "support/kernel.hpp"

namespace lkl::test {
namespace {

using posix::Descriptor;
using Bytes = std::vector<std::byte>;

constexpr size_t room = 4096;  // of the driver's buffer
constexpr size_t header_length = 12;

// A back end, and the descriptors of its other end.
struct Rig {
    std::unique_ptr<NetBackend> backend;
    Descriptor to, from;
    size_t header = 0;  // bytes before each frame

    void send(const Bytes& bytes) const
    {
        for (size_t done = 0; done < bytes.size();) {
            const ssize_t n = ::write(to.get(), bytes.data() + done, bytes.size() - done);
            ASSERT_GT(n, 0) << std::strerror(errno);
            done += static_cast<size_t>(n);
        }
    }
};

struct Kind {
    const char* name;
    bool ends;  // it sees that the other end is gone
    Rig (*make)(const std::string& directory);
};

Rig make_fifos(const std::string& directory)
{
    const std::string in = directory + "/in", out = directory + "/out";
    EXPECT_EQ(::mkfifo(in.c_str(), 0600), 0);
    EXPECT_EQ(::mkfifo(out.c_str(), 0600), 0);
    Rig rig;
    auto backend = open_net_fifos(in, out);
    EXPECT_TRUE(backend) << backend.error().what;
    rig.backend = *std::move(backend);
    rig.to = Descriptor(::open(in.c_str(), O_WRONLY | O_CLOEXEC));
    rig.from = Descriptor(::open(out.c_str(), O_RDONLY | O_CLOEXEC));
    rig.header = header_length;
    return rig;
}

Rig make_passt(const std::string& directory)
{
    const std::string path = directory + "/socket";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    PasstOptions options;
    options.socket = path;
    Rig rig;
    auto backend = open_passt(options);
    EXPECT_TRUE(backend) << backend.error().what;
    rig.backend = *std::move(backend);
    rig.to = Descriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    rig.from = Descriptor(::dup(rig.to.get()));
    return rig;
}

class Streams : public testing::TestWithParam<Kind> {
protected:
    void SetUp() override
    {
        directory_ = testing::TempDir() + "/lkl-stream-XXXXXX";
        ASSERT_TRUE(::mkdtemp(directory_.data()));
        rig = GetParam().make(directory_);
        ASSERT_TRUE(rig.backend);
    }
    void TearDown() override
    {
        rig = Rig();
        for (const char* name : {"in", "out", "socket"})
            ::unlink((directory_ + "/" + name).c_str());
        ::rmdir(directory_.c_str());
    }

    // What the device does when its descriptor is readable.
    ssize_t receive()
    {
        into.fill(std::byte{0});
        // Two elements: lengths count what both have.
        const std::array<iovec, 2> parts{iovec{into.data(), 100},
                                         iovec{into.data() + 100, room - 100}};
        return rig.backend->receive(0, parts);
    }

    Rig rig;
    std::array<std::byte, room + 64> into;

private:
    std::string directory_;
};
INSTANTIATE_TEST_SUITE_P(All, Streams,
                         testing::Values(Kind{"fifos", false, make_fifos},
                                         Kind{"passt", true, make_passt}),
                         [](const auto& info) { return std::string(info.param.name); });

Bytes length_of(uint32_t length)
{
    const uint32_t prefix = htonl(length);
    Bytes bytes(sizeof prefix);
    std::memcpy(bytes.data(), &prefix, sizeof prefix);
    return bytes;
}

Bytes filled(size_t size, int with)
{
    return Bytes(size, static_cast<std::byte>(with));
}

Bytes packet(const Bytes& content)
{
    Bytes bytes = length_of(static_cast<uint32_t>(content.size()));
    bytes.insert(bytes.end(), content.begin(), content.end());
    return bytes;
}

TEST_P(Streams, AWrongLengthCostsThatPacketAlone)
{
    const Watchdog watchdog(60s, GetParam().name);
    for (const size_t wrong : {size_t{0}, room + 1, room + 5000, size_t{65536}, size_t{131072}}) {
        SCOPED_TRACE(wrong);
        rig.send(length_of(static_cast<uint32_t>(wrong)));
        EXPECT_EQ(receive(), -EMSGSIZE);
        // What it has comes in pieces, with other lengths and packets among it.
        for (size_t done = 0; done < wrong;) {
            const size_t piece = std::min<size_t>(wrong - done, 30000);
            rig.send(filled(piece, 7));
            done += piece;
            EXPECT_EQ(receive(), 0) << "of a packet that nobody wants";
        }
        rig.send(packet(filled(60, 9)));
        ASSERT_EQ(receive(), 60);
        EXPECT_TRUE(std::equal(into.begin(), into.begin() + 60, filled(60, 9).begin()));
        EXPECT_EQ(into[60], std::byte{0});
        EXPECT_EQ(receive(), 0);
    }
}

TEST_P(Streams, TheLongestThatFitsIsTaken)
{
    rig.send(packet(filled(room, 5)));
    ASSERT_EQ(receive(), static_cast<ssize_t>(room));
    EXPECT_EQ(into[room - 1], std::byte{5});
    EXPECT_EQ(into[room], std::byte{0}) << "behind the buffer";
}

TEST_P(Streams, ALengthThatCannotBeIsTheEnd)
{
    for (const uint32_t length : {131073u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        SCOPED_TRACE(length);
        TearDown();
        SetUp();
        rig.send(length_of(length));
        rig.send(packet(filled(60, 9)));
        EXPECT_EQ(receive(), -EPROTO);
        EXPECT_EQ(receive(), -EPROTO) << "it does not go on as if nothing had been";
    }
}

TEST_P(Streams, BytesOneByOne)
{
    const Bytes all = packet(filled(61, 3));
    for (size_t i = 0; i + 1 < all.size(); ++i) {
        rig.send({all[i]});
        ASSERT_EQ(receive(), 0) << i;
    }
    rig.send({all.back()});
    EXPECT_EQ(receive(), 61);
}

TEST_P(Streams, CutOffInTheMiddle)
{
    Bytes part = packet(filled(200, 3));
    part.resize(150);
    rig.send(part);
    EXPECT_EQ(receive(), 0);
    rig.to = Descriptor();
    rig.from = Descriptor();
    EXPECT_EQ(receive(), GetParam().ends ? -EPIPE : 0);
}

// What is sent to nobody is lost and counted.
TEST_P(Streams, SentToNobodyIsCounted)
{
    EXPECT_EQ(rig.backend->refused(), 0u);
    Bytes frame = filled(60, 1);
    iovec part{frame.data(), frame.size()};
    const std::array<NetPacket, 2> packets{NetPacket(&part, 1), NetPacket(&part, 1)};
    EXPECT_EQ(rig.backend->transmit(0, packets), 2u);
    EXPECT_EQ(rig.backend->refused(), 0u);
    rig.to = Descriptor();
    rig.from = Descriptor();
    EXPECT_EQ(rig.backend->transmit(0, packets), 2u);
    // A fifo is open for reading at this end as well: it has room.
    EXPECT_EQ(rig.backend->refused(), GetParam().ends ? 2u : 0u);
}

// Any bytes: what is returned is in bounds, and nothing hangs.
TEST_P(Streams, RubbishStaysInBounds)
{
    const Watchdog watchdog(60s, GetParam().name);
    std::mt19937_64 random(4711);
    unsigned packets = 0, wrong = 0;
    for (int round = 0; round < 2000; ++round) {
        Bytes bytes(random() % 200);
        for (std::byte& byte : bytes)
            byte = static_cast<std::byte>(random());
        if (bytes.size() >= 4 && random() % 4 != 0) {
            // Lengths that may well be.
            bytes[0] = bytes[1] = std::byte{0};
            bytes[2] = static_cast<std::byte>(random() % 20);
        }
        rig.send(bytes);
        for (;;) {
            const ssize_t result = receive();
            ASSERT_TRUE(result <= static_cast<ssize_t>(room));
            ASSERT_TRUE(result >= 0 || result == -EMSGSIZE || result == -EPROTO) << result;
            if (result == -EPROTO) {
                TearDown();
                SetUp();
            }
            ASSERT_EQ(into[room], std::byte{0}) << "behind the buffer";
            packets += result > 0;
            wrong += result < 0;
            if (result == 0 || result == -EPROTO)
                break;
        }
    }
    EXPECT_GT(packets, 0u);
    EXPECT_GT(wrong, 0u);
}

// A question by ARP for our address, as on a wire.
Bytes question(size_t header)
{
    constexpr unsigned char arp[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  9, 8, 6,
                                       0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 9,
                                       10,   9,    0,    1,    0,    0,    0, 0, 0, 0, 10, 9, 0, 2};
    Bytes frame(header + sizeof arp);
    std::memcpy(frame.data() + header, arp, sizeof arp);
    return frame;
}

// A whole kernel behind it: the packets after wrong ones arrive.
TEST_P(Streams, AKernelGoesOn)
{
    const Watchdog watchdog(60s, GetParam().name);
    Kernel kernel = boot();
    auto device = NetDevice::add(kernel, std::move(rig.backend));
    ASSERT_TRUE(device) << device.error().what;
    const auto stack = our_stack(kernel);
    ASSERT_EQ(stack->configure("eth0", "10.9.0.2"), 0);
    rig.send(length_of(0));
    rig.send(packet(filled(100000, 1)));
    rig.send(packet(filled(3, 1)));  // shorter than any header
    const Bytes ask = packet(question(rig.header));
    bool answered = false;
    for (int i = 0; i < 200 && !answered; ++i) {
        rig.send(ask);
        pollfd readable{rig.from.get(), POLLIN, 0};
        while (!answered && ::poll(&readable, 1, 50) > 0) {
            Bytes bytes(4096);
            const ssize_t n = ::read(rig.from.get(), bytes.data(), bytes.size());
            ASSERT_GT(n, 0);
            const Bytes mac{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0},
                            std::byte{0}, std::byte{9}, std::byte{}};
            answered = std::search(bytes.begin(), bytes.begin() + n, mac.begin(), mac.end() - 1) !=
                       bytes.begin() + n;
        }
    }
    EXPECT_TRUE(answered);
    const auto counted = device->statistics();
    ASSERT_TRUE(counted) << counted.error().what;
    EXPECT_EQ(counted->receive_errors, 3u) << "the wrong ones, and only those";
    EXPECT_GE(counted->received_frames, 1u);
    EXPECT_GE(counted->received_bytes, question(0).size());
    EXPECT_GE(counted->sent_frames, 1u);
    EXPECT_EQ(counted->send_errors, 0u);
    EXPECT_EQ(counted->send_dropped, 0u);
    EXPECT_EQ(kernel.panic_message(), "");
    EXPECT_TRUE(kernel.halt());
}

}  // namespace
}  // namespace lkl::test
