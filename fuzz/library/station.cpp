// SPDX-License-Identifier: GPL-2.0-only
#include "station.hpp"

#include <cerrno>
#include <span>
#include <utility>

#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm-generic/unistd.h>
#include <lkl/file.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/filter.h>
#include <lkl/linux/in.h>
#include <lkl/linux/in6.h>
#include <lkl/netlink.hpp>
#include <lkl/socket.h>

namespace lkl::fuzz {

namespace {

constexpr int backlog = 8;
constexpr int most_waits = 5000;  // milliseconds
constexpr const char* interface = "eth0";

std::array<char, 64 << 10>& buffer()
{
    static std::array<char, 64 << 10> bytes;
    return bytes;
}

uint16_t network_order(uint16_t value)
{
    return static_cast<uint16_t>(value << 8 | value >> 8);
}

Result<void> add_addresses(Netlink& netlink, int index, const StationAddresses& own)
{
    for (const auto& [text, length] : {std::pair{own.v4, 24}, std::pair{own.v6, 64}}) {
        auto parsed = IpAddress::parse(text);
        if (!parsed)
            return std::move(parsed).error();
        Address address{index, {*parsed, static_cast<uint8_t>(length)}};
        address.flags = parsed->is_v6() ? LKL_IFA_F_NODAD : 0;
        if (auto added = netlink.add_address(address); !added)
            return added;
    }
    return {};
}

Result<void> add_routes(Netlink& netlink, int index, const StationAddresses& other)
{
    auto mac = MacAddress::parse(other.mac);
    if (!mac)
        return std::move(mac).error();
    for (const char* const text : {other.v4, other.v6}) {
        auto gateway = IpAddress::parse(text);
        if (!gateway)
            return std::move(gateway).error();
        if (auto added = netlink.add_neighbour(index, *gateway, *mac); !added)
            return added;
        if (auto added = netlink.add_default_gateway(*gateway, index); !added)
            return added;
    }
    return {};
}

}  // namespace

Result<void> Station::set(const std::string& path, std::string_view value)
{
    auto file = File::open(kernel_, path.c_str(), LKL_O_WRONLY);
    if (!file)
        return std::move(file).error();
    auto written = file->write(std::as_bytes(std::span(value)));
    if (!written)
        return std::move(written).error();
    return {};
}

void Station::set_option(long socket, int level, int option, int value)
{
    kernel_.syscall(__lkl__NR_setsockopt, socket, level, option, &value, sizeof value);
}

// Addresses are there at once, and what is told of one's own accord is told soon: it would
// come again in each execution.
Result<void> Station::be_quiet()
{
    const std::string base = "/proc/sys/net/";
    for (const char* const name : {"ipv4/igmp_qrv", "ipv6/mld_qrv"}) {
        if (auto done = set(base + name, "1"); !done)
            return done;
    }
    for (const std::string interfaces : {"all/", "default/"}) {
        for (const auto& [name, value] : {std::pair{"ipv6/conf/accept_dad", "0"},
                                          {"ipv6/conf/router_solicitations", "0"},
                                          {"ipv6/conf/mldv2_unsolicited_report_interval", "1"},
                                          {"ipv4/conf/igmpv3_unsolicited_report_interval", "1"}}) {
            std::string path = base + name;
            path.insert(path.rfind('/') + 1, interfaces);
            if (auto done = set(path, value); !done)
                return done;
        }
    }
    return {};
}

Result<void> Station::connect(std::unique_ptr<NetBackend> backend, const StationAddresses& own,
                              const StationAddresses& other)
{
    // Where they are mounted already, nothing happens.
    for (const auto& [type, path] : {std::pair{"sysfs", "/sys"}, std::pair{"proc", "/proc"}}) {
        kernel_.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, path, 0755);
        kernel_.syscall(__lkl__NR_mount, type, path, type, 0, nullptr);
    }
    if (auto done = be_quiet(); !done)
        return done;
    NetOptions options;
    auto mac = MacAddress::parse(own.mac);
    if (!mac)
        return std::move(mac).error();
    options.mac = *mac;
    auto net = kernel_.add_net(std::move(backend), options);
    if (!net)
        return std::move(net).error();
    auto netlink = Netlink::open(kernel_);
    if (!netlink)
        return std::move(netlink).error();
    for (const int index : {1, net->ifindex}) {
        if (auto up = netlink->set_up(index); !up)
            return up;
    }
    if (auto added = add_addresses(*netlink, net->ifindex, own); !added)
        return added;
    return add_routes(*netlink, net->ifindex, other);
}

// One for any address; none: the kernel has no such socket.
long Station::socket(int family, int type, int protocol, uint16_t port)
{
    const long fd = kernel_.syscall(__lkl__NR_socket, family, type | LKL_SOCK_NONBLOCK, protocol);
    if (fd < 0)
        return none;
    lkl_sockaddr_in6 name{};
    if (family == LKL_AF_INET6)
        set_option(fd, LKL_SOL_IPV6, LKL_IPV6_V6ONLY, 1);
    name.sin6_family = static_cast<unsigned short>(family);
    name.sin6_port = network_order(port);  // the first fields are those of both families
    if (kernel_.syscall(__lkl__NR_bind, fd, &name, sizeof name) == 0)
        return fd;
    kernel_.syscall(__lkl__NR_close, fd);
    return none;
}

Result<void> Station::listen()
{
    for (const int family : {LKL_AF_INET, LKL_AF_INET6}) {
        datagrams_.push_back(socket(family, LKL_SOCK_DGRAM, 0, echo_port));
        listening_.push_back(socket(family, LKL_SOCK_STREAM, 0, echo_port));
        if (datagrams_.back() == none || listening_.back() == none)
            return Error{EAFNOSUPPORT, "fuzzing frames: the kernel has no sockets"};
        const long multipath = socket(family, LKL_SOCK_STREAM, LKL_IPPROTO_MPTCP, multipath_port);
        if (multipath != none)
            listening_.push_back(multipath);
    }
    pump_ = socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0, discard_port);
    for (const long fd : listening_)
        kernel_.syscall(__lkl__NR_listen, fd, backlog);
    const std::array<uint8_t, 8> group{239, 1, 2, 3, 0, 0, 0, 0};  // struct ip_mreq
    kernel_.syscall(__lkl__NR_setsockopt, datagrams_.front(), LKL_SOL_IP, LKL_IP_ADD_MEMBERSHIP,
                    group.data(), group.size());
    return {};
}

// By busy polling (Documentation/networking/napi.rst): the interface's interrupt stays off
// as long as a timer does not expire, which here is never, and a socket that is read
// polls the interface that its last packet came from. Its filter refuses all packets after
// that one: a socket that has something is read without a poll.
Result<void> Station::take_over()
{
    for (int waits = 0; !receive(); ++waits) {
        if (waits == most_waits)
            return Error{ETIMEDOUT, "fuzzing frames: the kernel takes none"};
        wait();
    }
    const std::string device = std::string("/sys/class/net/") + interface;
    if (auto done = set(device + "/napi_defer_hard_irqs", "1000000000"); !done)
        return done;
    if (auto done = set(device + "/gro_flush_timeout", "1000000000000000000"); !done)
        return done;
    set_option(pump_, LKL_SOL_SOCKET, LKL_SO_BUSY_POLL, 1);
    set_option(pump_, LKL_SOL_SOCKET, LKL_SO_PREFER_BUSY_POLL, 1);
    set_option(pump_, LKL_SOL_SOCKET, LKL_SO_BUSY_POLL_BUDGET, 1);
    lkl_sock_filter refuse{0x06 /* BPF_RET | BPF_K */, 0, 0, 0};
    const lkl_sock_fprog program{1, &refuse};
    kernel_.syscall(__lkl__NR_setsockopt, pump_, LKL_SOL_SOCKET, LKL_SO_ATTACH_FILTER, &program,
                    sizeof program);
    receive();
    return {};
}

void Station::wait()
{
    const std::array<long, 2> millisecond{0, 1'000'000};
    kernel_.syscall(__lkl__NR_nanosleep, millisecond.data(), nullptr);
}

bool Station::receive()
{
    return kernel_.syscall(__lkl__NR_recvfrom, pump_, buffer().data(), buffer().size(),
                           LKL_MSG_DONTWAIT, nullptr, nullptr) >= 0;
}

void Station::answer(long& connection)
{
    auto& bytes = buffer();
    const long got = kernel_.syscall(__lkl__NR_recvfrom, connection, bytes.data(), bytes.size(),
                                     LKL_MSG_DONTWAIT, nullptr, nullptr);
    if (got > 0) {
        kernel_.syscall(__lkl__NR_sendto, connection, bytes.data(), got,
                        LKL_MSG_DONTWAIT | LKL_MSG_NOSIGNAL, nullptr, 0);
    } else if (got != -EAGAIN) {
        kernel_.syscall(__lkl__NR_close, connection);
        connection = none;
    }
}

void Station::serve()
{
    for (const long fd : listening_) {
        const long connection =
            kernel_.syscall(__lkl__NR_accept4, fd, nullptr, nullptr, LKL_SOCK_NONBLOCK);
        if (connection < 0)
            continue;
        long& place = accepted_[next_++ % accepted_.size()];
        if (place != none)
            kernel_.syscall(__lkl__NR_close, place);
        place = connection;
    }
    for (long& connection : accepted_) {
        if (connection != none)
            answer(connection);
    }
    auto& bytes = buffer();
    for (const long fd : datagrams_) {
        lkl_sockaddr_in6 from{};
        int size = sizeof from;
        const long got = kernel_.syscall(__lkl__NR_recvfrom, fd, bytes.data(), bytes.size(),
                                         LKL_MSG_DONTWAIT, &from, &size);
        if (got >= 0)
            kernel_.syscall(__lkl__NR_sendto, fd, bytes.data(), got, LKL_MSG_DONTWAIT, &from, size);
    }
}

}  // namespace lkl::fuzz
