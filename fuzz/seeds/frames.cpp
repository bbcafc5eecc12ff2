// SPDX-License-Identifier: GPL-2.0-only
// fuzz-frame-seeds DIRECTORY: inputs for the target "frames", of real traffic: two kernels
// on one wire, one set up as the target's, and what the other sends to it is written as
// fuzz/library/frames.hpp says.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <lkl/asm-generic/unistd.h>
#include <lkl/file.hpp>
#include <lkl/linux/in.h>
#include <lkl/linux/in6.h>
#include <lkl/net.hpp>
#include <lkl/netlink.hpp>
#include <lkl/socket.h>

#include "../library/frames.hpp"

namespace lkl::fuzz {
namespace {

using Bytes = std::vector<uint8_t>;
using namespace std::chrono_literals;

constexpr uint16_t closed_port = 99;

template <typename T>
T must(Result<T> result)
{
    if (!result) {
        std::fprintf(stderr, "fuzz-frame-seeds: %s\n", result.error().what.c_str());
        std::_Exit(1);
    }
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

// All frames of the wire, in their order.
class Record {
public:
    void add(bool of_peer, std::span<const std::byte> frame)
    {
        const std::lock_guard lock(mutex_);
        const auto* const bytes = reinterpret_cast<const uint8_t*>(frame.data());
        frames_.push_back({of_peer, Bytes(bytes, bytes + frame.size())});
    }
    // Until nothing comes for a while.
    void settle()
    {
        size_t before = 0;
        for (int round = 0; round < 20; ++round) {
            std::this_thread::sleep_for(30ms);
            const std::lock_guard lock(mutex_);
            if (frames_.size() == before)
                return;
            before = frames_.size();
        }
    }
    // What the peer has sent since the last call, as an input.
    Bytes take()
    {
        const std::lock_guard lock(mutex_);
        Peer peer;
        Bytes input;
        for (auto& [of_peer, frame] : std::exchange(frames_, {})) {
            if (!of_peer) {
                peer.note(frame);
                continue;
            }
            peer.make_relative(frame);
            append(input, frame);
        }
        return input;
    }

private:
    static void append(Bytes& input, Bytes frame)
    {
        unsigned zeros = 0;
        const auto ends_with_zeros = [&frame] {
            return frame.size() > frame_zeros &&
                   std::all_of(frame.end() - frame_zeros, frame.end(),
                               [](uint8_t byte) { return byte == 0; });
        };
        for (; zeros < 15 && ends_with_zeros(); ++zeros)
            frame.resize(frame.size() - frame_zeros);
        frame.resize(std::min(frame.size(), longest_frame));
        input.push_back(static_cast<uint8_t>(zeros << frame_flags::zeros_shift));
        input.push_back(static_cast<uint8_t>(frame.size()));
        input.push_back(static_cast<uint8_t>(frame.size() >> 8));
        input.insert(input.end(), frame.begin(), frame.end());
    }

    std::mutex mutex_;
    std::vector<std::pair<bool, Bytes>> frames_;
};

// The kernel whose frames become inputs, and its calls.
class Sender {
public:
    explicit Sender(Kernel& kernel) : kernel_(kernel) {}

    template <typename... Args>
    long call(long number, Args... args)
    {
        return kernel_.syscall(number, args...);
    }
    long socket(int family, int type, int protocol = 0)
    {
        const long fd = call(__lkl__NR_socket, family, type, protocol);
        // Whatever does not come: the rest goes on.
        const std::array<long, 2> seconds{1, 0};
        for (const int option : {LKL_SO_RCVTIMEO, LKL_SO_SNDTIMEO})
            set(fd, LKL_SOL_SOCKET, option, seconds.data(), sizeof seconds);
        return fd;
    }
    void set(long fd, int level, int option, const void* value, size_t size)
    {
        call(__lkl__NR_setsockopt, fd, level, option, value, size);
    }
    void set(long fd, int level, int option, int value)
    {
        set(fd, level, option, &value, sizeof value);
    }
    // The kernel of the target, or another address.
    static lkl_sockaddr_in6 name(int family, uint16_t port, const char* address = nullptr)
    {
        lkl_sockaddr_in6 name{};
        const bool v6 = family == LKL_AF_INET6;
        const auto where = must(IpAddress::parse(address ? address
                                                 : v6    ? station_addresses.v6
                                                         : station_addresses.v4));
        name.sin6_family = static_cast<unsigned short>(family);
        name.sin6_port = static_cast<uint16_t>(port << 8 | port >> 8);
        std::memcpy(v6 ? static_cast<void*>(&name.sin6_addr) : &name.sin6_flowinfo,
                    where.bytes().data(), where.bytes().size());
        return name;
    }
    long connect(long fd, int family, uint16_t port)
    {
        const auto to = name(family, port);
        return call(__lkl__NR_connect, fd, &to, sizeof to);
    }
    long send(long fd, size_t size, int flags = 0)
    {
        const Bytes zeros(size);
        return call(__lkl__NR_sendto, fd, zeros.data(), size, flags | LKL_MSG_NOSIGNAL, nullptr, 0);
    }
    void send_to(long fd, const Bytes& bytes, const lkl_sockaddr_in6& to)
    {
        call(__lkl__NR_sendto, fd, bytes.data(), bytes.size(), 0, &to, sizeof to);
    }
    void receive(long fd)
    {
        Bytes buffer(64 << 10);
        call(__lkl__NR_recvfrom, fd, buffer.data(), buffer.size(), 0, nullptr, nullptr);
    }
    void close(long fd) { call(__lkl__NR_close, fd); }

private:
    Kernel& kernel_;
};

void ping(Sender& peer, int family)
{
    const bool v6 = family == LKL_AF_INET6;
    const long fd = peer.socket(family, LKL_SOCK_DGRAM, v6 ? LKL_IPPROTO_ICMPV6 : LKL_IPPROTO_ICMP);
    Bytes request(64);
    request[0] = v6 ? 128 : 8;
    peer.send_to(fd, request, Sender::name(family, 0));
    peer.receive(fd);
    peer.close(fd);
}

// With options of IP, and one that does not fit into a frame.
void udp(Sender& peer, int family)
{
    const long fd = peer.socket(family, LKL_SOCK_DGRAM);
    peer.connect(fd, family, echo_port);
    for (const size_t size : {10u, 4000u}) {
        peer.send(fd, size);
        peer.receive(fd);
    }
    if (family == LKL_AF_INET) {
        const Bytes record_route{7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        peer.set(fd, LKL_SOL_IP, LKL_IP_OPTIONS, record_route.data(), record_route.size());
    } else {
        const Bytes padding{0, 0, 1, 4, 0, 0, 0, 0};
        peer.set(fd, LKL_SOL_IPV6, LKL_IPV6_HOPOPTS, padding.data(), padding.size());
        peer.set(fd, LKL_SOL_IPV6, LKL_IPV6_DSTOPTS, padding.data(), padding.size());
    }
    peer.send(fd, 10);
    peer.receive(fd);
    peer.close(fd);
}

void tcp(Sender& peer, int family, int protocol, uint16_t port)
{
    const long fd = peer.socket(family, LKL_SOCK_STREAM, protocol);
    if (peer.connect(fd, family, port) == 0) {
        for (const size_t size : {10u, 3000u}) {
            peer.send(fd, size);
            peer.receive(fd);
        }
        peer.send(fd, 1, LKL_MSG_OOB);
        peer.call(__lkl__NR_shutdown, fd, 1 /* SHUT_WR */);
        peer.receive(fd);
    }
    peer.close(fd);
}

void tcp_reset(Sender& peer, int family)
{
    const long fd = peer.socket(family, LKL_SOCK_STREAM);
    peer.connect(fd, family, echo_port);
    peer.send(fd, 10);
    const lkl_linger at_once{1, 0};
    peer.set(fd, LKL_SOL_SOCKET, LKL_SO_LINGER, &at_once, sizeof at_once);
    peer.close(fd);
}

// With a part of the packet that they are about: one of the target's connection.
void icmp_errors(Sender& peer)
{
    const long fd = peer.socket(LKL_AF_INET, LKL_SOCK_RAW, LKL_IPPROTO_ICMP);
    for (const uint8_t type : {3, 4, 5, 11, 12, 13, 17}) {
        Bytes message(8);
        message[0] = type;
        if (type == 3) {
            message[1] = 4;  // fragmentation needed, to 576 bytes
            message[6] = 2;
            message[7] = 64;
        }
        const Bytes about{0x45,
                          0,
                          0,
                          40,
                          0,
                          0,
                          0,
                          0,
                          64,
                          6,
                          0,
                          0,
                          10,
                          9,
                          0,
                          2,
                          10,
                          9,
                          0,
                          1,
                          0,
                          7,
                          established_port >> 8,
                          established_port & 0xff,
                          0,
                          0,
                          0,
                          0};
        message.insert(message.end(), about.begin(), about.end());
        peer.send_to(fd, message, Sender::name(LKL_AF_INET, 0));
    }
    peer.close(fd);
}

int interface_index(Kernel& kernel)
{
    return must(must(Netlink::open(kernel)).link_index("eth0"));
}

void router_advertisement(Sender& peer, int index)
{
    const long fd = peer.socket(LKL_AF_INET6, LKL_SOCK_RAW, LKL_IPPROTO_ICMPV6);
    peer.set(fd, LKL_SOL_IPV6, LKL_IPV6_MULTICAST_HOPS, 255);
    Bytes message{134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0,
                  // MTU 1400, and the prefix fd0a::/64
                  5, 1, 0, 0, 0, 0, 5, 120, 3, 4, 64, 0xc0, 0, 0, 255, 255, 0, 0, 255, 255};
    message.resize(56);
    message[40] = 0xfd;
    message[41] = 0x0a;
    auto to = Sender::name(LKL_AF_INET6, 0, "ff02::1");
    to.sin6_scope_id = static_cast<unsigned>(index);
    peer.send_to(fd, message, to);
    peer.close(fd);
}

void join_groups(Sender& peer, int index)
{
    const long v4 = peer.socket(LKL_AF_INET, LKL_SOCK_DGRAM);
    const Bytes group{239, 9, 9, 9, 10, 9, 0, 1};
    peer.set(v4, LKL_SOL_IP, LKL_IP_ADD_MEMBERSHIP, group.data(), group.size());
    const long v6 = peer.socket(LKL_AF_INET6, LKL_SOCK_DGRAM);
    Bytes group6(20);  // struct ipv6_mreq
    group6[0] = 0xff;
    group6[1] = 5;
    group6[15] = 9;
    std::memcpy(&group6[16], &index, sizeof index);
    peer.set(v6, LKL_SOL_IPV6, LKL_IPV6_ADD_MEMBERSHIP, group6.data(), group6.size());
    peer.close(v4);
    peer.close(v6);
}

// By sockets that make the checksum themselves.
void allow_ping(Kernel& kernel)
{
    const std::string groups = "0 0";
    const File file = must(File::open(kernel, "/proc/sys/net/ipv4/ping_group_range", LKL_O_WRONLY));
    must(file.write(std::as_bytes(std::span(groups))));
}

// Asks who has the address: that is a frame as well.
void forget_neighbours(Kernel& kernel)
{
    Netlink netlink = must(Netlink::open(kernel));
    const int index = interface_index(kernel);
    for (const char* const address : {station_addresses.v4, station_addresses.v6})
        (void)netlink.delete_neighbour(index, must(IpAddress::parse(address)));
}

void make(const std::filesystem::path& directory)
{
    Record record;
    std::array<std::shared_ptr<UserLink>, 2> links;
    std::array<std::unique_ptr<NetBackend>, 2> backends;
    for (size_t i = 0; i < links.size(); ++i) {
        std::tie(backends[i], links[i]) = make_user_net([&record, &links, i](auto frame) {
            record.add(i != 0, frame);
            links[1 - i]->send(frame);
        });
    }
    Kernel kernel = must(Kernel::start({}));
    Kernel peer_kernel = must(Kernel::start({}));
    Station target(kernel);
    Station other(peer_kernel);
    must(target.connect(std::move(backends[0]), station_addresses, peer_addresses));
    must(other.connect(std::move(backends[1]), peer_addresses, station_addresses));
    must(target.listen());
    std::atomic<bool> stopping{false};
    std::thread server([&] {
        while (!stopping) {
            target.serve();
            std::this_thread::sleep_for(1ms);
        }
    });

    Sender peer(peer_kernel);
    allow_ping(peer_kernel);
    const int index = interface_index(peer_kernel);
    std::filesystem::create_directories(directory);
    const auto scenario = [&](const std::string& name, const auto& run) {
        record.settle();
        record.take();
        forget_neighbours(peer_kernel);
        run();
        record.settle();
        const Bytes input = record.take();
        if (input.empty()) {
            std::fprintf(stderr, "fuzz-frame-seeds: %s sends nothing\n", name.c_str());
            std::_Exit(1);
        }
        std::ofstream(directory / name, std::ios::binary)
            .write(reinterpret_cast<const char*>(input.data()),
                   static_cast<std::streamsize>(input.size()));
    };
    for (const int family : {LKL_AF_INET, LKL_AF_INET6}) {
        const std::string end = family == LKL_AF_INET ? "4" : "6";
        scenario("ping" + end, [&] { ping(peer, family); });
        scenario("udp" + end, [&] { udp(peer, family); });
        scenario("tcp" + end, [&] { tcp(peer, family, 0, echo_port); });
        scenario("mptcp" + end, [&] { tcp(peer, family, LKL_IPPROTO_MPTCP, multipath_port); });
        scenario("reset" + end, [&] { tcp_reset(peer, family); });
        scenario("closed" + end, [&] { tcp(peer, family, 0, closed_port); });
    }
    scenario("icmp-errors", [&] { icmp_errors(peer); });
    scenario("router-advertisement", [&] { router_advertisement(peer, index); });
    scenario("groups", [&] { join_groups(peer, index); });
    stopping = true;
    server.join();
}

}  // namespace
}  // namespace lkl::fuzz

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fputs("usage: fuzz-frame-seeds DIRECTORY\n", stderr);
        return 2;
    }
    lkl::fuzz::make(argv[1]);
}
