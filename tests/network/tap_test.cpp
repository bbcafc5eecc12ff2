// SPDX-License-Identifier: GPL-2.0-only
// Our kernel and the host's over a tap interface.
// LKL_NET_CONNECTIONS: how many there are at once, 1,000 by default, and
// LKL_NET_CONNECTION_ROUNDS: how often, twice.
// ctest: TIMEOUT=900
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <net/if.h>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include <lkl/net.hpp>

#include "common/stack.hpp"
#include "common/transfer.hpp"
#include "support/kernel.hpp"

namespace lkl::test {
namespace {

constexpr const char* host_address = "10.9.0.1";
constexpr const char* our_address = "10.9.0.2";
constexpr uint64_t some_bytes = 64 << 20;

int setting(const char* name, int otherwise)
{
    const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return text ? std::atoi(text) : otherwise;
}
// At once.
int connections()
{
    return setting("LKL_NET_CONNECTIONS", 1000);
}
int rounds()
{
    return setting("LKL_NET_CONNECTION_ROUNDS", 2);
}

class Tap : public testing::Test {
protected:
    void SetUp() override
    {
        if (!enter_new_namespace())
            GTEST_SKIP() << "needs root";
        auto tap = open_tap("tap%d");
        ASSERT_TRUE(tap) << tap.error().what;
        tap_name = (*tap)->info().name;
        ASSERT_EQ(host->configure(tap_name, host_address), 0);
        auto added = NetDevice::add(kernel, *std::move(tap));
        ASSERT_TRUE(added) << added.error().what;
        device = std::make_unique<NetDevice>(*std::move(added));
        ASSERT_GT(device->ifindex(), 0);
        ASSERT_EQ(ours->configure(ours->name_of(device->ifindex()), our_address), 0);
    }

    // Of a thousand connections, a second at the worst.
    Watchdog watchdog{50s + std::chrono::seconds(connections() * rounds() / 1000), "tap"};
    Kernel kernel = boot();
    std::unique_ptr<Stack> host = host_stack();
    std::unique_ptr<Stack> ours = our_stack(kernel);
    std::unique_ptr<NetDevice> device;
    std::string tap_name;
};

TEST_F(Tap, CarriesTcpToTheHost)
{
    EXPECT_EQ(transfer(*ours, *host, host_address, some_bytes), "");
}

TEST_F(Tap, CarriesTcpFromTheHost)
{
    EXPECT_EQ(transfer(*host, *ours, our_address, some_bytes), "");
}

TEST_F(Tap, CarriesSingleBytes)
{
    EXPECT_EQ(ping_pong(*ours, *host, host_address, 1000), "");
    EXPECT_EQ(ping_pong(*host, *ours, our_address, 1000), "");
}

TEST_F(Tap, LinkDownIsSeenAndLinkUpGoesOn)
{
    const std::string name = ours->name_of(device->ifindex());
    EXPECT_TRUE(ours->flags_of(name) & IFF_RUNNING);
    ASSERT_TRUE(device->set_link(false));
    const auto runs = [&](bool wanted) {
        for (int i = 0; i < 250; ++i) {
            if (((ours->flags_of(name) & IFF_RUNNING) != 0) == wanted)
                return true;
            std::this_thread::sleep_for(20ms);
        }
        return false;
    };
    EXPECT_TRUE(runs(false));
    ASSERT_TRUE(device->set_link(true));
    EXPECT_TRUE(runs(true));
    EXPECT_EQ(ping_pong(*host, *ours, our_address, 10), "");

    // The host's side of it.
    ASSERT_EQ(host->set_up(tap_name, false), 0);
    ASSERT_EQ(host->set_up(tap_name, true), 0);
    EXPECT_EQ(ping_pong(*ours, *host, host_address, 10), "");
}

TEST_F(Tap, HaltEndsCallsOnOpenConnections)
{
    uint16_t port = 0;
    const long listener = host->listen_on(host_address, port);
    ASSERT_GE(listener, 0);
    std::vector<long> accepted;
    Crew crew;
    std::atomic<int> ended{0};
    for (int i = 0; i < 20; ++i) {
        const long fd = ours->connect_to(host_address, port);
        ASSERT_GE(fd, 0);
        accepted.push_back(host->accept(listener));
        crew.add([&, fd, sends = i % 2 == 0] {
            std::vector<char> data(1 << 20);
            long result = 0;
            do
                result = sends ? ours->send(fd, data.data(), data.size())
                               : ours->recv(fd, data.data(), data.size());
            while (result > 0);
            ended += result == -LKL_ESHUTDOWN;
        });
    }
    std::this_thread::sleep_for(100ms);
    EXPECT_TRUE(kernel.halt());
    crew.join();
    EXPECT_EQ(ended, 20);
    for (const long fd : accepted)
        host->close(fd);
    host->close(listener);
}

// Of /proc/net/sockstat.
long tcp_sockets_in_use(Kernel& kernel)
{
    Calls calls(kernel);
    calls.mount_at("proc", "/proc");
    const std::string text = calls.read_file("/proc/net/sockstat");
    const size_t at = text.find("TCP: inuse ");
    return at == std::string::npos ? -1 : std::strtol(text.c_str() + at + 11, nullptr, 10);
}

TEST_F(Tap, ManyConnectionsAtOnceAndAgain)
{
    const int count = connections();
    const rlimit limit{static_cast<rlim_t>(count) + 200, static_cast<rlim_t>(count) + 200};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_EQ(kernel.syscall(__lkl__NR_prlimit64, 0, RLIMIT_NOFILE, &limit, nullptr), 0);
    // The ports of those that have been closed are free at once.
    Calls(kernel).mount_at("proc", "/proc");
    EXPECT_EQ(Calls(kernel).write_file("/proc/sys/net/ipv4/tcp_max_tw_buckets", "0"), 0);
    for (int round = 0; round < rounds(); ++round) {
        uint16_t port = 0;
        const long listener = host->listen_on(host_address, port);
        ASSERT_GE(listener, 0);
        std::vector<std::pair<long, long>> connections;
        for (int i = 0; i < count; ++i) {
            const long fd = ours->connect_to(host_address, port);
            ASSERT_GE(fd, 0) << i;
            connections.emplace_back(fd, host->accept(listener));
            ASSERT_GE(connections.back().second, 0) << i;
        }
        for (int i = 0; i < count; ++i) {
            const auto [near, far] = connections[static_cast<size_t>(i)];
            int number = i, got = -1;
            ASSERT_TRUE(ours->send_all(near, &number, sizeof number)) << i;
            ASSERT_TRUE(host->recv_all(far, &got, sizeof got)) << i;
            ASSERT_EQ(got, i);
            ASSERT_TRUE(host->send_all(far, &got, sizeof got)) << i;
            ASSERT_TRUE(ours->recv_all(near, &number, sizeof number)) << i;
            ASSERT_EQ(number, i);
        }
        EXPECT_GE(tcp_sockets_in_use(kernel), count);
        for (const auto& [near, far] : connections) {
            host->close(far);
            ours->close(near);
        }
        host->close(listener);
        long left = -1;
        for (int i = 0; i < 100 && left != 0; ++i) {
            left = tcp_sockets_in_use(kernel);
            std::this_thread::sleep_for(20ms);
        }
        EXPECT_EQ(left, 0);
    }
}

}  // namespace
}  // namespace lkl::test
