// SPDX-License-Identifier: GPL-2.0-only
// liblkl-packetdrill.so, called as packetdrill calls it: a TCP connection whose other end
// is made of single packets.
// ctest: TIMEOUT=60
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <gtest/gtest.h>

#include <lkl/ip_address.hpp>

#include "common/stack.hpp"
#include "common/tcp_packet.hpp"
#include "packetdrill/interface.h"
#include "support/kernel.hpp"

namespace lkl::test {
namespace {

constexpr uint16_t port = 8080;
constexpr uint16_t peer_port = 45678;
constexpr uint32_t peer_start = 1000;  // the peer's first sequence number
constexpr uint8_t ack = TcpPacket::ack_flag;
constexpr uint8_t syn = TcpPacket::syn;
constexpr uint8_t fin = TcpPacket::fin;
// Options of a SYN: maximum segment size 1000, SACK permitted, two fillers.
const std::vector<uint8_t> syn_options{2, 4, 1000 >> 8, 1000 & 255, 4, 2, 1, 1};

// A family's addresses, as the interface has them where the flags name none.
struct Family {
    const char* name;
    const char* ours;
    const char* peer;
    int domain;
};
const Family families[] = {{"IPv4", "192.168.0.2", "192.0.2.1", AF_INET},
                           {"IPv6", "fd3d:fa7b:d17d::", "2001:db8::1", AF_INET6}};

struct Name {
    Name() = default;
    Name(const IpAddress& address, uint16_t number)
    {
        if (address.is_v6()) {
            six.sin6_family = AF_INET6;
            six.sin6_port = htons(number);
            std::copy_n(address.bytes().data(), 16, reinterpret_cast<std::byte*>(&six.sin6_addr));
            length = sizeof six;
        } else {
            four.sin_family = AF_INET;
            four.sin_port = htons(number);
            std::copy_n(address.bytes().data(), 4, reinterpret_cast<std::byte*>(&four.sin_addr));
            length = sizeof four;
        }
    }
    bool operator==(const Name& other) const
    {
        return length == other.length &&
               (length == sizeof six
                    ? six.sin6_port == other.six.sin6_port &&
                          std::equal(six.sin6_addr.s6_addr, six.sin6_addr.s6_addr + 16,
                                     other.six.sin6_addr.s6_addr)
                    : four.sin_port == other.four.sin_port &&
                          four.sin_addr.s_addr == other.four.sin_addr.s_addr);
    }
    union {
        sockaddr generic;
        sockaddr_in four;
        sockaddr_in6 six{};
    };
    socklen_t length = sizeof six;
};

void* load()
{
    const std::string path = std::string(std::getenv("LKL_LIB")) + "/liblkl-packetdrill.so";
    int mode = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    // A sanitizer refuses what packetdrill sets as well.
    if (const char* const sanitizer = std::getenv("LKL_SANITIZE"); !sanitizer || !*sanitizer)
        mode |= RTLD_DEEPBIND;
    void* const library = ::dlopen(path.c_str(), mode);
    if (!library) {
        std::fprintf(stderr, "%s\n", ::dlerror());
        std::abort();  // nothing in the test makes sense without it
    }
    return library;
}

template <typename Function>
Function* function_of(const char* name)
{
    return reinterpret_cast<Function*>(::dlsym(load(), name));
}

// The interface, with `userdata` put in.
class Interface {
public:
    explicit Interface(const char* flags)
    {
        function_of<std::remove_pointer_t<packetdrill_interface_init_t>>(
            "packetdrill_interface_init")(flags, &all_);
    }
    ~Interface() { all_.free(all_.userdata); }
    Interface(const Interface&) = delete;
    Interface& operator=(const Interface&) = delete;

    template <typename Result, typename... Parameters, typename... Args>
    Result operator()(Result (*packetdrill_interface::*function)(void*, Parameters...),
                      Args... args)
    {
        return (all_.*function)(all_.userdata, args...);
    }
    packetdrill_interface& raw() { return all_; }

private:
    packetdrill_interface all_{};
};

using I = packetdrill_interface;

class Packetdrill : public testing::Test {
protected:
    void SetUp() override
    {
        // As packetdrill does before anything else. Others than root may lock too little.
        locked_ = ::geteuid() == 0 && ::mlockall(MCL_CURRENT | MCL_FUTURE) == 0;
    }
    void TearDown() override
    {
        if (locked_)
            ::munlockall();
    }

    // The next packet that is TCP.
    static std::optional<TcpPacket> receive(Interface& call, bool check_sum = true,
                                            long long* when = nullptr)
    {
        std::vector<std::byte> room(1 << 17);
        for (;;) {
            size_t size = room.size();
            long long time = 0;
            if (call(&I::netdev_receive, room.data(), &size, &time) != 0 || size == 0)
                return std::nullopt;
            if (when)
                *when = time;
            if (auto packet = read_tcp(std::span(room).first(size), check_sum))
                return packet;
        }
    }
    static int send(Interface& call, const TcpPacket& packet)
    {
        const auto bytes = packet.bytes();
        return call(&I::netdev_send, static_cast<const void*>(bytes.data()), bytes.size());
    }

    static int listen(Interface& call, const Family& family)
    {
        const int on = 1;
        const int fd = call(&I::socket, family.domain, SOCK_STREAM, IPPROTO_TCP);
        const Name name(IpAddress::parse(family.ours).value(), port);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(call(&I::setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
        EXPECT_EQ(call(&I::bind, fd, &name.generic, name.length), 0);
        EXPECT_EQ(call(&I::listen, fd, 1), 0);
        return fd;
    }

private:
    bool locked_ = false;
};

// The peer's side of one connection.
class Peer {
public:
    Peer(const Family& family)
    {
        next_.from = IpAddress::parse(family.peer).value();
        next_.to = IpAddress::parse(family.ours).value();
        next_.from_port = peer_port;
        next_.to_port = port;
        next_.sequence = peer_start;
    }

    TcpPacket segment(uint8_t flags, const std::string& data = {})
    {
        TcpPacket packet = next_;
        packet.flags = flags;
        packet.data = data;
        if (flags & syn)
            packet.options = syn_options;
        next_.sequence += static_cast<uint32_t>(data.size()) + ((flags & (syn | fin)) != 0);
        return packet;
    }
    // What the stack has sent is confirmed by the next segment.
    void took(const TcpPacket& packet)
    {
        took_ = true;
        next_.to_port = packet.from_port;
        next_.from_port = packet.to_port;
        next_.acknowledged = packet.sequence + static_cast<uint32_t>(packet.data.size()) +
                             ((packet.flags & (syn | fin)) != 0);
    }
    // It was taken before: the stack repeats within milliseconds what is not confirmed.
    bool knows(const TcpPacket& packet) const
    {
        const uint32_t length =
            static_cast<uint32_t>(packet.data.size()) + ((packet.flags & (syn | fin)) != 0);
        return took_ && length != 0 &&
               static_cast<int32_t>(packet.sequence + length - next_.acknowledged) <= 0;
    }
    uint32_t sequence() const { return next_.sequence; }
    uint32_t acknowledged() const { return next_.acknowledged; }
    const IpAddress& address() const { return next_.from; }

private:
    TcpPacket next_;
    bool took_ = false;
};

class EachFamily : public Packetdrill, public testing::WithParamInterface<Family> {
protected:
    // The next one that is none of those the peer has taken.
    static std::optional<TcpPacket> receive_new(Interface& call, const Peer& peer)
    {
        auto packet = receive(call);
        while (packet && peer.knows(*packet))
            packet = receive(call);
        return packet;
    }
    // SYN, SYN/ACK, ACK. False: it has failed, and says so.
    bool shake_hands(Interface& call, Peer& peer)
    {
        EXPECT_EQ(send(call, peer.segment(syn)), 0);
        const auto answer = receive(call);
        if (!answer) {
            ADD_FAILURE() << "no answer to SYN";
            return false;
        }
        EXPECT_EQ(answer->flags, syn | ack);
        EXPECT_EQ(answer->acknowledged, peer.sequence());
        EXPECT_EQ(answer->to, peer.address());
        EXPECT_EQ(answer->from_port, port);
        EXPECT_EQ(answer->to_port, peer_port);
        EXPECT_TRUE(answer->has_option(TCPOPT_MAXSEG));
        peer.took(*answer);
        EXPECT_EQ(send(call, peer.segment(ack)), 0);
        return true;
    }

    Watchdog watchdog{50s, "packetdrill"};
};

TEST_P(EachFamily, AcceptsAConnection)
{
    Interface call("offload=off");
    Peer peer(GetParam());
    const int listener = listen(call, GetParam());
    ASSERT_TRUE(shake_hands(call, peer));
    Name from;
    const int fd = call(&I::accept, listener, &from.generic, &from.length);
    ASSERT_GE(fd, 0);
    EXPECT_TRUE(from == Name(peer.address(), peer_port));

    // Data in.
    ASSERT_EQ(send(call, peer.segment(ack | TcpPacket::psh, "question")), 0);
    auto packet = receive_new(call, peer);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->flags, ack);
    EXPECT_EQ(packet->acknowledged, peer.sequence());
    char text[16] = {};
    EXPECT_EQ(call(&I::read, fd, static_cast<void*>(text), sizeof text), 8);
    EXPECT_STREQ(text, "question");

    // Data out, of two segments.
    const std::string answer(1500, 'a');
    EXPECT_EQ(call(&I::write, fd, static_cast<const void*>(answer.data()), answer.size()), 1500);
    std::string received;
    while (received.size() < answer.size()) {
        packet = receive_new(call, peer);
        ASSERT_TRUE(packet);
        EXPECT_EQ(packet->sequence, peer.acknowledged());
        EXPECT_LE(packet->data.size(), 1000u);
        received += packet->data;
        peer.took(*packet);
    }
    EXPECT_EQ(received, answer);
    ASSERT_EQ(send(call, peer.segment(ack)), 0);

    // The end, from both sides.
    ASSERT_EQ(send(call, peer.segment(ack | fin)), 0);
    packet = receive_new(call, peer);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->acknowledged, peer.sequence());
    EXPECT_EQ(call(&I::read, fd, static_cast<void*>(text), sizeof text), 0);
    EXPECT_EQ(call(&I::close, fd), 0);
    packet = receive_new(call, peer);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->flags, ack | fin);
    EXPECT_EQ(packet->sequence, peer.acknowledged());
    peer.took(*packet);
    EXPECT_EQ(send(call, peer.segment(ack)), 0);
    EXPECT_EQ(call(&I::read, fd, static_cast<void*>(text), sizeof text), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(call(&I::close, listener), 0);
}

TEST_P(EachFamily, MakesAConnection)
{
    Interface call("offload=off");
    Peer peer(GetParam());
    const int fd = call(&I::socket, GetParam().domain, SOCK_STREAM, IPPROTO_TCP);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(call.raw().fcntl(call.raw().userdata, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    const Name to(peer.address(), peer_port);
    EXPECT_EQ(call(&I::connect, fd, &to.generic, to.length), -1);
    EXPECT_EQ(errno, EINPROGRESS);
    auto packet = receive_new(call, peer);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->flags, syn);
    EXPECT_EQ(packet->from, IpAddress::parse(GetParam().ours).value());
    peer.took(*packet);
    pollfd state{fd, POLLOUT, 0};
    EXPECT_EQ(call(&I::poll, &state, 1, 0), 0);
    ASSERT_EQ(send(call, peer.segment(syn | ack)), 0);
    packet = receive_new(call, peer);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->flags, ack);
    EXPECT_EQ(packet->acknowledged, peer.sequence());
    EXPECT_EQ(call(&I::poll, &state, 1, 1000), 1);
    EXPECT_EQ(state.revents, POLLOUT);
    int error = -1;
    socklen_t length = sizeof error;
    EXPECT_EQ(call(&I::getsockopt, fd, SOL_SOCKET, SO_ERROR, static_cast<void*>(&error), &length),
              0);
    EXPECT_EQ(error, 0);
}

// As the thread that packetdrill has for calls that wait.
TEST_P(EachFamily, CallsWaitOnAnotherThread)
{
    Interface call("offload=off");
    Peer peer(GetParam());
    const int listener = listen(call, GetParam());
    std::atomic<int> accepted{-1};
    std::string text(8, 0);
    std::thread waiting([&] {
        accepted = call(&I::accept, listener, static_cast<sockaddr*>(nullptr),
                        static_cast<socklen_t*>(nullptr));
        call(&I::recv, accepted.load(), static_cast<void*>(text.data()), text.size(), MSG_WAITALL);
    });
    EXPECT_EQ(call(&I::usleep, 20'000u), 0);
    EXPECT_EQ(accepted.load(), -1);
    const bool connected = shake_hands(call, peer);
    for (const char* part : {"ques", "tion"})
        EXPECT_EQ(send(call, peer.segment(ack, part)), 0);
    EXPECT_TRUE(connected);
    waiting.join();
    EXPECT_GE(accepted.load(), 0);
    EXPECT_EQ(text, "question");
}

TEST_P(EachFamily, DropsBadPackets)
{
    Interface call("offload=off");
    Peer peer(GetParam());
    listen(call, GetParam());
    // A wrong checksum: nothing answers, the one behind it is answered.
    TcpPacket packet = peer.segment(syn);
    auto bytes = packet.bytes();
    bytes.back() ^= std::byte{1};
    EXPECT_EQ(call(&I::netdev_send, static_cast<const void*>(bytes.data()), bytes.size()), 0);
    packet.from_port = peer_port + 1;
    EXPECT_EQ(send(call, packet), 0);
    const auto answer = receive(call);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->to_port, peer_port + 1);
    // Cut off within the header of TCP, the same.
    bytes = packet.bytes();
    EXPECT_EQ(call(&I::netdev_send, static_cast<const void*>(bytes.data()),
                   bytes.size() - syn_options.size() - 10),
              0);
    // Neither IPv4 nor IPv6, and nothing at all.
    bytes[0] = std::byte{0x15};
    EXPECT_EQ(call(&I::netdev_send, static_cast<const void*>(bytes.data()), bytes.size()), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(call(&I::netdev_send, static_cast<const void*>(bytes.data()), size_t{0}), -1);
    packet.from_port = peer_port + 2;
    EXPECT_EQ(send(call, packet), 0);
    const auto next = receive(call);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->to_port, peer_port + 2);
}

INSTANTIATE_TEST_SUITE_P(Packetdrill, EachFamily, testing::ValuesIn(families),
                         [](const auto& info) { return info.param.name; });

TEST_F(Packetdrill, LeavesSegmentationToTheDevice)
{
    Interface call(nullptr);
    Peer peer(families[0]);
    const int listener = listen(call, families[0]);
    ASSERT_EQ(send(call, peer.segment(syn)), 0);
    auto packet = receive(call, false);
    ASSERT_TRUE(packet);
    peer.took(*packet);
    ASSERT_EQ(send(call, peer.segment(ack)), 0);
    const int fd = call(&I::accept, listener, static_cast<sockaddr*>(nullptr),
                        static_cast<socklen_t*>(nullptr));
    ASSERT_GE(fd, 0);
    const std::string data(4000, 'd');
    EXPECT_EQ(call(&I::send, fd, static_cast<const void*>(data.data()), data.size(), 0), 4000);
    // Several of the peer's segments in one packet: how many is by the rate, and that by the time
    // that the peer took.
    std::string received;
    while (received.size() < data.size()) {
        do {
            packet = receive(call, false);
            ASSERT_TRUE(packet);
        } while (peer.knows(*packet));
        EXPECT_EQ(packet->sequence, peer.acknowledged());
        EXPECT_GE(packet->data.size(), 2000u);
        received += packet->data;
        peer.took(*packet);
    }
    EXPECT_EQ(received, data);
}

TEST_F(Packetdrill, SaysWhenAPacketLeft)
{
    Interface call("offload=off");
    Peer peer(families[0]);
    listen(call, families[0]);
    const auto now = [&] {
        timeval time{};
        EXPECT_EQ(call(&I::gettimeofday, &time, static_cast<struct timezone*>(nullptr)), 0);
        return time.tv_sec * 1'000'000LL + time.tv_usec;
    };
    const long long before = now();
    ASSERT_EQ(send(call, peer.segment(syn)), 0);
    // It is fetched much later than it left.
    EXPECT_EQ(call(&I::usleep, 300'000u), 0);
    const long long after = now();
    EXPECT_GE(after - before, 300'000);
    long long left = 0;
    ASSERT_TRUE(receive(call, true, &left));
    // The two clocks are read one after the other, each in microseconds.
    EXPECT_GE(left, before - 1);
    EXPECT_LT(left, after - 200'000);
}

TEST_F(Packetdrill, ScriptEndsWhenNothingLeaves)
{
    Interface call("timeout=1");
    std::byte room[64];
    size_t size = sizeof room;
    long long when = 0;
    EXPECT_EQ(call(&I::netdev_receive, static_cast<void*>(room), &size, &when), 0);
    EXPECT_EQ(size, 0u);
}

TEST_F(Packetdrill, TakesAddressesOfTheFlags)
{
    const Family other{"other", "10.1.2.3", "198.51.100.7", AF_INET};
    Interface call(
        "address=10.1.2.3/8,gateway=10.1.2.3,remote=198.51.100.0/24,mtu=1400,"
        "offload=off");
    Peer peer(other);
    listen(call, other);
    ASSERT_EQ(send(call, peer.segment(syn)), 0);
    const auto answer = receive(call);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->from, IpAddress::parse(other.ours).value());
    ASSERT_TRUE(answer->has_option(TCPOPT_MAXSEG));
    // The first one: of the MTU, less both headers.
    ASSERT_GE(answer->options.size(), 4u);
    EXPECT_EQ(answer->options[2] << 8 | answer->options[3], 1400 - 40);
}

// A script's command changes settings of the host, which are the stack's from then on.
TEST_F(Packetdrill, FollowsTheHostsSettings)
{
    if (!enter_new_namespace())
        GTEST_SKIP() << "needs root";
    ASSERT_TRUE(run("echo 1 > /proc/sys/net/ipv4/tcp_sack"));
    Interface call("offload=off,sysctl=net.ipv4.tcp_sack=0");
    listen(call, families[0]);
    uint16_t from = peer_port;
    const auto has_sack = [&]() -> std::optional<bool> {
        Peer peer(families[0]);
        TcpPacket packet = peer.segment(syn);
        packet.from_port = from++;
        EXPECT_EQ(send(call, packet), 0);
        const auto answer = receive(call);
        if (!answer)
            return std::nullopt;
        // The place of the listener's only waiting connection is free again.
        peer.took(*answer);
        TcpPacket reset = peer.segment(TcpPacket::rst);
        EXPECT_EQ(send(call, reset), 0);
        return answer->has_option(TCPOPT_SACK_PERMITTED);
    };
    EXPECT_EQ(has_sack(), false);
    // The same value as before on the host, not here.
    ASSERT_TRUE(run("echo 1 > /proc/sys/net/ipv4/tcp_sack"));
    EXPECT_EQ(has_sack(), true);
    ASSERT_TRUE(run("echo 0 > /proc/sys/net/ipv4/tcp_sack"));
    EXPECT_EQ(has_sack(), false);
    // Without truncation.
    ASSERT_TRUE(run("echo 1 >> /proc/sys/net/ipv4/tcp_sack"));
    EXPECT_EQ(has_sack(), true);
}

// The host refuses a congestion control in a namespace that is not for everybody: its own is
// not what the script wants. What it accepts is set.
TEST_F(Packetdrill, RefusedCongestionControlIsNotTheHosts)
{
    if (!enter_new_namespace())
        GTEST_SKIP() << "needs root";
    const std::string path = "/proc/sys/net/ipv4/tcp_congestion_control";
    Interface call("sysctl=net.ipv4.tcp_congestion_control=westwood");
    const auto used = [&] {
        char name[16] = {};
        socklen_t length = sizeof name;
        const int fd = call(&I::socket, AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(call(&I::getsockopt, fd, IPPROTO_TCP, TCP_CONGESTION, static_cast<void*>(name),
                       &length),
                  0);
        EXPECT_EQ(call(&I::close, fd), 0);
        return std::string(name);
    };
    ASSERT_FALSE(run("echo no_such_control > " + path + " 2>/dev/null"));
    EXPECT_EQ(used(), "westwood");
    // In a namespace everybody may have that; it is the default nowhere.
    ASSERT_TRUE(run("echo reno > " + path));
    EXPECT_EQ(used(), "reno");
}

// By what the stack itself says of its links: a list of messages that name their queues.
TEST_F(Packetdrill, FollowsTheHostsQueues)
{
    if (!enter_new_namespace())
        GTEST_SKIP() << "needs root";
    ASSERT_TRUE(run("ip tuntap add dev tun0 mode tun && ip link set tun0 up"));
    Interface call(nullptr);
    const auto links = [&] {
        struct {
            nlmsghdr header{sizeof(nlmsghdr) + sizeof(ifinfomsg), RTM_GETLINK,
                            NLM_F_REQUEST | NLM_F_DUMP, 0, 0};
            ifinfomsg link{};
        } request;
        std::string all, part(1 << 15, 0);
        const int fd = call(&I::socket, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
        call(&I::send, fd, static_cast<const void*>(&request), sizeof request, 0);
        for (ssize_t n;
             (n = call(&I::recv, fd, static_cast<void*>(part.data()), part.size(), 0)) > 0;)
            all.append(part, 0, static_cast<size_t>(n));
        EXPECT_EQ(call(&I::close, fd), 0);
        return all;
    };
    const auto has = [&](const std::string& kind) {
        return links().find(std::string(1, 0) + kind + std::string(1, 0)) != std::string::npos;
    };
    EXPECT_TRUE(has("pfifo"));
    ASSERT_TRUE(run("tc qdisc replace dev tun0 root bfifo limit 90000"));
    EXPECT_TRUE(has("bfifo"));
    ASSERT_TRUE(run("tc qdisc replace dev tun0 root tbf rate 1gbit burst 1mb latency 9ms"));
    EXPECT_TRUE(has("tbf"));
    ASSERT_TRUE(run("tc qdisc replace dev tun0 root pfifo limit 77"));
    EXPECT_TRUE(has("pfifo"));
    EXPECT_FALSE(has("tbf"));
}

TEST_F(Packetdrill, PassesOtherCallsOn)
{
    Interface call("mem=64M");
    int one[2], two[2];
    ASSERT_EQ(call(&I::pipe, static_cast<int*>(one)), 0);
    ASSERT_EQ(call(&I::pipe, static_cast<int*>(two)), 0);
    const int epoll = call(&I::epoll_create, 1);
    ASSERT_GE(epoll, 0);
    EXPECT_EQ(call(&I::epoll_create, 0), -1);
    EXPECT_EQ(errno, EINVAL);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = 0x1234567890;
    EXPECT_EQ(call(&I::epoll_ctl, epoll, EPOLL_CTL_ADD, two[0], &event), 0);
    epoll_event events[2] = {};
    EXPECT_EQ(call(&I::epoll_wait, epoll, static_cast<epoll_event*>(events), 2, 0), 0);

    char hello[] = "hello", world[] = "world";
    iovec parts[] = {{hello, 5}, {world, 5}};
    EXPECT_EQ(call(&I::writev, one[1], static_cast<const iovec*>(parts), 2), 10);
    loff_t null = 0;
    EXPECT_EQ(call(&I::splice, one[0], static_cast<loff_t*>(nullptr), two[1],
                   static_cast<loff_t*>(nullptr), size_t{5}, 0u),
              5);
    EXPECT_EQ(call(&I::splice, one[0], &null, two[1], &null, size_t{3}, 0u), 3);
    EXPECT_EQ(call(&I::epoll_wait, epoll, static_cast<epoll_event*>(events), 2, 1000), 1);
    EXPECT_EQ(events[0].data.u64, 0x1234567890u);
    int waiting = 0;
    EXPECT_EQ(call.raw().ioctl(call.raw().userdata, two[0], FIONREAD, &waiting), 0);
    EXPECT_EQ(waiting, 8);
    char first[4], second[8];
    iovec into[] = {{first, 4}, {second, 8}};
    EXPECT_EQ(call(&I::readv, two[0], static_cast<const iovec*>(into), 2), 8);
    EXPECT_EQ(std::string(first, 4) + std::string(second, 4), "hellowor");

    // Datagrams, over our own loopback.
    const int receiver = call(&I::socket, AF_INET, SOCK_DGRAM, 0);
    const int sender = call(&I::socket, AF_INET, SOCK_DGRAM, 0);
    const Name name(IpAddress::parse("127.0.0.1").value(), port);
    ASSERT_EQ(call(&I::bind, receiver, &name.generic, name.length), 0);
    EXPECT_EQ(call(&I::sendto, sender, static_cast<const void*>(hello), size_t{5}, 0, &name.generic,
                   name.length),
              5);
    Name from;
    EXPECT_EQ(call(&I::recvfrom, receiver, static_cast<void*>(second), sizeof second, 0,
                   &from.generic, &from.length),
              5);
    EXPECT_EQ(from.length, sizeof from.four);
    EXPECT_EQ(from.four.sin_addr.s_addr, name.four.sin_addr.s_addr);
    ASSERT_EQ(call(&I::connect, sender, &name.generic, name.length), 0);
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    EXPECT_EQ(call(&I::sendmsg, sender, static_cast<const msghdr*>(&message), 0), 10);
    msghdr incoming{};
    incoming.msg_iov = into;
    incoming.msg_iovlen = 2;
    EXPECT_EQ(call(&I::recvmsg, receiver, &incoming, 0), 10);
    EXPECT_EQ(call(&I::shutdown, receiver, SHUT_RD), -1);
    EXPECT_EQ(errno, ENOTCONN);

    // Without a copy, and changed when it is sent: the kernel has what it was.
    const int on = 1;
    ASSERT_EQ(call(&I::setsockopt, sender, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on), 0);
    EXPECT_EQ(call(&I::send, sender, static_cast<const void*>(hello), size_t{5}, MSG_ZEROCOPY), 5);
    EXPECT_EQ(call(&I::sendmsg, sender, static_cast<const msghdr*>(&message), MSG_ZEROCOPY), 10);
    hello[0] = 'j';
    EXPECT_EQ(call(&I::recv, receiver, static_cast<void*>(second), sizeof second, 0), 5);
    EXPECT_EQ(std::string(second, 5), "hello");
    EXPECT_EQ(call(&I::recvmsg, receiver, &incoming, 0), 10);
    EXPECT_EQ(std::string(first, 4) + std::string(second, 6), "helloworld");
}

// As LD_PRELOAD: the stack tells of its connections, the host of its own.
TEST_F(Packetdrill, AnswersTheCodeOfScripts)
{
    const auto ask = function_of<decltype(::getsockopt)>("getsockopt");
    ASSERT_NE(ask, nullptr);
    const auto state_of = [&](int fd) -> int {
        tcp_info info{};
        socklen_t length = sizeof info;
        return ask(fd, SOL_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_state : -errno;
    };
    const int hosts = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_GE(hosts, 0);
    ASSERT_EQ(::listen(hosts, 1), 0);
    EXPECT_EQ(state_of(hosts), TCP_LISTEN);
    {
        Interface call("mem=64M");
        int fd = -1;
        while (fd < hosts)
            ASSERT_GE(fd = call(&I::socket, AF_INET, SOCK_STREAM, 0), 0);
        EXPECT_EQ(state_of(hosts), TCP_CLOSE);  // ours, of the same number
        EXPECT_EQ(state_of(1000), -EBADF);
        int type = 0;
        socklen_t length = sizeof type;
        EXPECT_EQ(ask(hosts, SOL_SOCKET, SO_ACCEPTCONN, &type, &length), 0);
        EXPECT_EQ(type, 1);  // the host's
    }
    EXPECT_EQ(state_of(hosts), TCP_LISTEN);
    ::close(hosts);
}

TEST_F(Packetdrill, ComesAgain)
{
    Watchdog watchdog(50s, "second init");
    for (int i = 0; i < 3; ++i) {
        Interface call("offload=off");
        Peer peer(families[i % 2]);
        // The port would be in use, had anything of the last one stayed.
        listen(call, families[i % 2]);
        ASSERT_EQ(send(call, peer.segment(syn)), 0);
        const auto answer = receive(call);
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->flags, syn | ack);
    }
    Interface one("mem=64M"), two("mem=64M");
    EXPECT_GE(listen(one, families[0]), 0);
    EXPECT_GE(listen(two, families[0]), 0);
}

TEST_F(Packetdrill, WritesTheKernelsLog)
{
    char path[] = "/tmp/packetdrill-log-XXXXXX";
    const int file = ::mkstemp(path);
    ASSERT_GE(file, 0);
    {
        Interface call(("log=" + std::string(path)).c_str());
    }
    std::string text(1 << 16, 0);
    text.resize(static_cast<size_t>(std::max<ssize_t>(::read(file, text.data(), text.size()), 0)));
    ::close(file);
    ::unlink(path);
    EXPECT_NE(text.find("Linux version"), std::string::npos) << text;
}

TEST_F(Packetdrill, WithoutAStackAllFails)
{
    for (const char* flags :
         {"nonsense=1", "mtu=x", "mem=", "address=1.2.3", "sysctl=net.ipv4.tcp_sack",
          "sysctl=net.ipv4.no_such_thing=1", "log=/nonexistent/log", "qdisc=nonsense"}) {
        testing::internal::CaptureStderr();
        Interface call(flags);
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_EQ(said.find("liblkl-packetdrill: no network: "), 0u) << said;
        EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
        EXPECT_EQ(call(&I::socket, AF_INET, SOCK_STREAM, 0), -1) << flags;
        EXPECT_EQ(errno, ENETDOWN);
        EXPECT_EQ(call(&I::netdev_send, static_cast<const void*>(""), size_t{1}), -1);
        std::byte room[64];
        size_t size = sizeof room;
        long long when = 0;
        EXPECT_EQ(call(&I::netdev_receive, static_cast<void*>(room), &size, &when), 0);
        EXPECT_EQ(size, 0u);
    }
}

}  // namespace
}  // namespace lkl::test
