// SPDX-License-Identifier: GPL-2.0-only
#include "network/common/inner_network.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <thread>

#include <lkl/linux/if.h>

#include "netlink/socket_address.hpp"

namespace lkl::test {

std::string read_proc(Kernel& kernel, const char* path)
{
    Calls calls(kernel);
    // Of the thread: /proc/net is that of its namespace.
    if (calls.count_entries("/proc") <= 0)
        calls.mount_at("proc", "/proc");
    return calls.read_file(path);
}

void write_proc(Kernel& kernel, const std::string& path, std::string_view text)
{
    Calls calls(kernel);
    if (calls.count_entries("/proc") <= 0)
        calls.mount_at("proc", "/proc");
    const long result = calls.write_file(("/proc/sys/" + path).c_str(), text);
    ASSERT_GE(result, 0) << path;
}

Socket::Socket(Kernel& kernel, int family, int type, int protocol)
{
    const long descriptor =
        kernel.syscall(__lkl__NR_socket, family, type | LKL_SOCK_CLOEXEC, protocol);
    EXPECT_GE(descriptor, 0);
    file_ = File::adopt(kernel, static_cast<int>(descriptor));
}

long Socket::bind(const IpAddress& address, uint16_t port)
{
    const netlink::SocketAddress name(address, port);
    return file_.kernel().syscall(__lkl__NR_bind, descriptor(), name.bytes().data(),
                                  name.bytes().size());
}

long Socket::connect(const IpAddress& address, uint16_t port)
{
    const netlink::SocketAddress name(address, port);
    return file_.kernel().syscall(__lkl__NR_connect, descriptor(), name.bytes().data(),
                                  name.bytes().size());
}

long Socket::listen()
{
    return file_.kernel().syscall(__lkl__NR_listen, descriptor(), 16);
}

std::optional<Socket> Socket::accept()
{
    const long one = file_.kernel().syscall(__lkl__NR_accept4, descriptor(), nullptr, nullptr, 0);
    if (one < 0)
        return std::nullopt;
    return Socket(File::adopt(file_.kernel(), static_cast<int>(one)));
}

long Socket::send(const void* data, size_t size)
{
    return file_.kernel().syscall(__lkl__NR_sendto, descriptor(), data, size, 0, nullptr, 0);
}

long Socket::receive(void* data, size_t size, std::chrono::milliseconds timeout)
{
    // struct timeval of SO_RCVTIMEO.
    const std::array<long, 2> time{timeout.count() / 1000, timeout.count() % 1000 * 1000};
    file_.kernel().syscall(__lkl__NR_setsockopt, descriptor(), LKL_SOL_SOCKET, LKL_SO_RCVTIMEO_OLD,
                           time.data(), sizeof time);
    return file_.kernel().syscall(__lkl__NR_recvfrom, descriptor(), data, size, 0, nullptr,
                                  nullptr);
}

std::string Socket::receive_text(std::chrono::milliseconds timeout)
{
    std::string text(65536, '\0');
    const long size = receive(text.data(), text.size(), timeout);
    EXPECT_GE(size, 0);
    text.resize(static_cast<size_t>(std::max(size, 0L)));
    return text;
}

void Socket::set(int level, int option, int value)
{
    EXPECT_EQ(file_.kernel().syscall(__lkl__NR_setsockopt, descriptor(), level, option, &value,
                                     sizeof value),
              0);
}

TwoHosts::TwoHosts()
{
    near = must(net.create_veth("near", "far", &far_space));
    far = must(far_net.link_index("far"));
    must(net.set_up(near));
    must(far_net.set_up(far));
    // The end that was set up first drops what it sends until the kernel's own thread has seen
    // its carrier (linkwatch_do_dev()), and some do not repeat that for seconds.
    for (int turns = 0; must(net.link(near)).state != LKL_IF_OPER_UP; ++turns) {
        if (turns == 10000)
            throw std::runtime_error("the wire does not come up");
        std::this_thread::sleep_for(1ms);
    }
}

std::optional<double> TwoHosts::round_trip(const IpAddress& near_address,
                                           const IpAddress& far_address, int times)
{
    constexpr uint16_t port = 7;
    Socket client(kernel, near_address.family(), LKL_SOCK_DGRAM);
    auto server = far_away([&] { return Socket(kernel, far_address.family(), LKL_SOCK_DGRAM); });
    EXPECT_EQ(client.bind(near_address, port), 0);
    EXPECT_EQ(server.bind(far_address, port), 0);
    EXPECT_EQ(client.connect(far_address, port), 0);
    EXPECT_EQ(server.connect(near_address, port), 0);
    std::optional<double> fastest;
    for (int i = 0; i < times; ++i) {
        char byte = static_cast<char>(i);
        const uint64_t start = now_ns();
        EXPECT_EQ(client.send(&byte, 1), 1);
        if (server.receive(&byte, 1, 1s) != 1 || server.send(&byte, 1) != 1 ||
            client.receive(&byte, 1, 1s) != 1)
            continue;
        const double ms = static_cast<double>(now_ns() - start) / 1e6;
        fastest = std::min(fastest.value_or(ms), ms);
    }
    return fastest;
}

}  // namespace lkl::test
