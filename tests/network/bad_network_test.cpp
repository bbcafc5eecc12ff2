// SPDX-License-Identifier: GPL-2.0-only
// Networks that lose, double, delay and reorder, and a peer that sends rubbish.
// LKL_NET_GARBAGE_SECONDS: how long it does, 3 by default; LKL_NET_EXCHANGE_MIB: what two
// kernels exchange, 128 MiB each way by default.
// ctest: TIMEOUT=900
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "common/faulty_net.hpp"
#include "common/transfer.hpp"
#include "common/two_kernels.hpp"

namespace lkl::test {
namespace {

unsigned long setting(const char* name, unsigned long otherwise)
{
    const char* const text =
        std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no thread sets one
    return text ? std::strtoul(text, nullptr, 10) : otherwise;
}

struct BadNetwork {
    const char* name;
    Faults faults;
};

class BadNetworks : public testing::TestWithParam<BadNetwork> {};
INSTANTIATE_TEST_SUITE_P(
    All, BadNetworks,
    testing::Values(
        BadNetwork{"loss", {.loss = 0.02}}, BadNetwork{"duplication", {.duplication = 0.1}},
        BadNetwork{"reordering", {.reordering = 0.1, .late = 300us}},
        BadNetwork{"delay", {.delay = 5ms}},
        BadNetwork{
            "all",
            {.loss = 0.01, .duplication = 0.05, .reordering = 0.05, .delay = 1ms, .late = 500us}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(BadNetworks, TcpDeliversAllTheSame)
{
    const Watchdog watchdog(100s, GetParam().name);
    FaultCounts counts;
    {
        TwoKernels two([&](auto end) {
            Faults faults = GetParam().faults;
            return make_faulty(std::move(end), faults, counts);
        });
        constexpr uint64_t bytes = 16 << 20;
        EXPECT_EQ(transfer(*two.left, *two.right, two.right_address, bytes), "");
        EXPECT_EQ(transfer(*two.right, *two.left, two.left_address, bytes), "");
    }
    const Faults& faults = GetParam().faults;
    EXPECT_EQ(counts.lost != 0, faults.loss != 0);
    EXPECT_EQ(counts.doubled != 0, faults.duplication != 0);
    EXPECT_EQ(counts.reordered != 0, faults.reordering != 0);
}

TEST(TwoKernelsOverACable, ExchangeALot)
{
    const uint64_t bytes = setting("LKL_NET_EXCHANGE_MIB", 128) << 20;
    const Watchdog watchdog(std::chrono::seconds(60 + bytes / (20 << 20)), "exchange");
    TwoKernels two;
    // Both directions at once.
    std::string there, back;
    Crew crew;
    crew.add([&] { there = transfer(*two.left, *two.right, two.right_address, bytes); });
    crew.add([&] { back = transfer(*two.right, *two.left, two.left_address, bytes); });
    crew.join();
    EXPECT_EQ(there, "");
    EXPECT_EQ(back, "");
}

// A frame that looks like something for a while: the rest is left to chance.
std::vector<std::byte> rubbish(std::mt19937_64& random)
{
    std::vector<std::byte> frame(14 + random() % 1500);
    for (std::byte& byte : frame)
        byte = static_cast<std::byte>(random());
    constexpr unsigned types[] = {0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x8847, 0x8864};
    const unsigned type = random() % 8 < 7 ? types[random() % 7] : random() % 65536;
    if (random() % 4 != 0)
        std::fill_n(frame.begin(), 6, std::byte{0xff});  // to all
    frame[12] = static_cast<std::byte>(type >> 8);
    frame[13] = static_cast<std::byte>(type);
    if (type == 0x0800 && frame.size() > 34 && random() % 4 != 0) {
        frame[14] = static_cast<std::byte>(random() % 8 ? 0x45 : 0x4f);
        constexpr std::byte protocols[] = {std::byte{1}, std::byte{2}, std::byte{6}, std::byte{17},
                                           std::byte{47}};
        frame[23] = protocols[random() % 5];
        constexpr std::byte ours[] = {std::byte{10}, std::byte{9}, std::byte{0}, std::byte{2}};
        std::copy(std::begin(ours), std::end(ours), frame.begin() + 30);
    }
    return frame;
}

TEST(GarbageFrames, DoNoHarm)
{
    const auto seconds = std::chrono::seconds(setting("LKL_NET_GARBAGE_SECONDS", 3));
    const Watchdog watchdog(seconds + 60s, "garbage");
    Kernel kernel = boot();
    std::atomic<uint64_t> answers{0};
    auto [backend, link] = make_user_net([&](auto) { ++answers; });
    auto device = NetDevice::add(kernel, std::move(backend));
    ASSERT_TRUE(device) << device.error().what;
    const auto stack = our_stack(kernel);
    ASSERT_EQ(stack->configure("eth0", "10.9.0.2"), 0);

    std::mt19937_64 random(4711);
    uint64_t sent = 0;
    const auto end = std::chrono::steady_clock::now() + seconds;
    while (std::chrono::steady_clock::now() < end) {
        for (int i = 0; i < 100; ++i)
            sent += link->send(rubbish(random));
    }
    EXPECT_GT(sent, 1000u);
    EXPECT_EQ(kernel.panic_message(), "");

    // It still answers who asks for its address.
    std::vector<std::byte> request(42);
    const unsigned char arp[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  9, 8, 6,
                                   0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 9,
                                   10,   9,    0,    1,    0,    0,    0, 0, 0, 0, 10, 9, 0, 2};
    std::memcpy(request.data(), arp, sizeof arp);
    const uint64_t before = answers;
    for (int i = 0; i < 1000 && answers == before; ++i) {
        link->send(request);
        std::this_thread::sleep_for(20ms);
    }
    EXPECT_GT(answers, before);
    EXPECT_TRUE(kernel.halt());
    EXPECT_FALSE(link->send(request)) << "there is nobody any more";
}

}  // namespace
}  // namespace lkl::test
