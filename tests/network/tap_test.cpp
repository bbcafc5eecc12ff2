// SPDX-License-Identifier: GPL-2.0-only
// Our kernel and the host's over a tap interface.
// LKL_NET_CONNECTIONS: how many there are at once, 1,000 by default, and
// LKL_NET_CONNECTION_ROUNDS: how often, three times. 10,000, ten times, is what it was made for.
// ctest: TIMEOUT=900
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include <lkl/net.hpp>

#include "common/stack.hpp"
#include "common/transfer.hpp"
#include "support/image.hpp"
#include "support/kernel.hpp"
#include "support/process.hpp"

namespace lkl::test {
namespace {

constexpr const char* host_address = "10.9.0.1";
constexpr const char* our_address = "10.9.0.2";
constexpr uint64_t some_bytes = 64 << 20;

int setting(const char* name, int otherwise)
{
    const char* const text =
        std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no thread sets one
    return text ? std::atoi(text) : otherwise;
}
// At once.
int connections()
{
    return setting("LKL_NET_CONNECTIONS", 1000);
}
int rounds()
{
    return setting("LKL_NET_CONNECTION_ROUNDS", 3);
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

// Of /proc/meminfo, in KiB.
long memory(Calls& calls, const std::string& key)
{
    const std::string text = calls.read_file("/proc/meminfo");
    const size_t at = text.find(key + ":");
    return at == std::string::npos ? -1
                                   : std::strtol(text.c_str() + at + key.size() + 1, nullptr, 10);
}

struct MemoryUse {
    long slab = 0, free = 0;  // KiB
    long files = 0;           // of all kinds that are open
};

MemoryUse memory_use(Kernel& kernel)
{
    Calls calls(kernel);
    // Caches of the file system that proc is are dropped; what RCU frees is freed.
    EXPECT_EQ(calls.write_file("/proc/sys/vm/drop_caches", "3"), 0);
    calls.sleep(200ms);
    const std::string files = calls.read_file("/proc/sys/fs/file-nr");
    return {memory(calls, "Slab"), memory(calls, "MemFree"),
            std::strtol(files.c_str(), nullptr, 10)};
}

TEST_F(Tap, ManyConnectionsAtOnceAndAgain)
{
    const int count = connections();
    const rlimit limit{static_cast<rlim_t>(count) + 200, static_cast<rlim_t>(count) + 200};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_EQ(kernel.syscall(__lkl__NR_prlimit64, 0, RLIMIT_NOFILE, &limit, nullptr), 0);
    // The ports of those that have been closed are free at once.
    Calls calls(kernel);
    calls.mount_at("proc", "/proc");
    EXPECT_EQ(calls.write_file("/proc/sys/net/ipv4/tcp_max_tw_buckets", "0"), 0);
    // KASAN keeps what was freed for a while, up to that part of the memory.
    const long quarantine = image_is("kasan") ? memory(calls, "MemTotal") / 32 : 0;  // KiB
    MemoryUse first;
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
        for (int i = 0; i < 1000 && left != 0; ++i) {
            left = tcp_sockets_in_use(kernel);
            std::this_thread::sleep_for(20ms);
        }
        EXPECT_EQ(left, 0);
        // After the first round everything is there that is kept.
        const MemoryUse now = memory_use(kernel);
        if (round == 0)
            first = now;
        SCOPED_TRACE(round);
        EXPECT_GT(first.slab, 0);
        // Caches settle for some rounds. The smallest thing that could be left of each
        // connection is an object of 32 bytes, of which there would be as many as were made.
        const long made = static_cast<long>(count) * round;
        EXPECT_LE(now.slab - first.slab, quarantine + 400 + made * 16 / 1024);
        EXPECT_LE(first.free - now.free, quarantine + 1024 + made * 16 / 1024);
        EXPECT_LE(now.files - first.files, 10);
    }
}

// What ETHTOOL_SCHANNELS asks for, as the host's interface has it.
size_t host_queues(const std::string& name)
{
    return count_files(("/sys/class/net/" + name + "/queues").c_str()) / 2;
}

TEST(TapQueues, ChannelsOfEthtoolAreQueuePairsOfTheHost)
{
    if (!enter_new_namespace())
        GTEST_SKIP() << "needs root";
    const Watchdog watchdog(60s, "queues");
    Kernel kernel = boot();
    auto tap = open_tap("tapq", {.queue_pairs = 4});
    ASSERT_TRUE(tap) << tap.error().what;
    const auto host = host_stack();
    const auto ours = our_stack(kernel);
    ASSERT_EQ(host->configure("tapq", host_address), 0);
    const auto device = NetDevice::add(kernel, *std::move(tap));
    ASSERT_TRUE(device) << device.error().what;
    const std::string name = ours->name_of(device->ifindex());
    ASSERT_EQ(ours->configure(name, our_address), 0);

    const long fd = ours->socket(AF_INET, SOCK_DGRAM, 0);
    const auto channels = [&](uint32_t command, uint32_t combined) {
        ethtool_channels wanted{};
        wanted.cmd = command;
        wanted.combined_count = combined;
        ifreq request{};
        name.copy(request.ifr_name, IFNAMSIZ - 1);
        request.ifr_data = reinterpret_cast<char*>(&wanted);
        const long result = ours->ioctl(fd, SIOCETHTOOL, &request);
        EXPECT_EQ(wanted.max_combined, command == ETHTOOL_GCHANNELS ? 4u : 0u);
        return result < 0 ? result : static_cast<long>(wanted.combined_count);
    };
    for (const uint32_t count : {1u, 4u, 2u, 3u, 1u}) {
        SCOPED_TRACE(count);
        ASSERT_EQ(channels(ETHTOOL_SCHANNELS, count), static_cast<long>(count));
        EXPECT_EQ(channels(ETHTOOL_GCHANNELS, 0), static_cast<long>(count));
        EXPECT_EQ(host_queues("tapq"), count);
        EXPECT_EQ(transfer(*ours, *host, host_address, 1 << 20), "");
        EXPECT_EQ(transfer(*host, *ours, our_address, 1 << 20), "");
    }
    for (const uint32_t count : {0u, 5u, 70'000u}) {
        SCOPED_TRACE(count);
        EXPECT_EQ(channels(ETHTOOL_SCHANNELS, count), -LKL_EINVAL);
        EXPECT_EQ(channels(ETHTOOL_GCHANNELS, 0), 1);
        EXPECT_EQ(host_queues("tapq"), 1u);
    }
    ours->close(fd);
}

TEST(TapQueues, AnInterfaceOfOneCannotBeGivenMore)
{
    if (!enter_new_namespace())
        GTEST_SKIP() << "needs root";
    ASSERT_TRUE(run("ip tuntap add dev single mode tap && ip tuntap add dev tun7 mode tun"));
    const auto two = open_tap("single", {.queue_pairs = 2});
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().what, "tap single: it has one queue alone (no IFF_MULTI_QUEUE)");
    const auto tun = open_tap("tun7");
    ASSERT_FALSE(tun);
    EXPECT_EQ(tun.error().what, "tap tun7: not a tap interface, nor a name for one");
    EXPECT_TRUE(open_tap("single"));
}

}  // namespace
}  // namespace lkl::test
