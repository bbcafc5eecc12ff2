// SPDX-License-Identifier: GPL-2.0-only
// Parker: messages arrive, no wake-up is lost, waiting costs nothing.
#include <platform/posix/parker.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <time.h>

#include <gtest/gtest.h>

#include <platform/posix/clock.hpp>

namespace {

using lkl::posix::monotonic_now;
using lkl::posix::Parker;
using namespace std::chrono_literals;

constexpr uint64_t ns(std::chrono::nanoseconds time)
{
    return static_cast<uint64_t>(time.count());
}

// A wake-up that takes so long was lost.
uint64_t lost()
{
    return monotonic_now() + ns(30s);
}

TEST(Parker, MessagesThatCameBeforeAreTakenTogether)
{
    Parker parker;
    parker.post(1);
    parker.post(4);
    parker.post(1);
    EXPECT_EQ(parker.wait(lost()), 5u);
    EXPECT_EQ(parker.take(), 0u);
    parker.post(2);
    EXPECT_EQ(parker.take(), 2u);
    EXPECT_EQ(parker.take(), 0u);
}

TEST(Parker, ADeadlinePassesWithoutAMessage)
{
    Parker parker;
    const uint64_t deadline = monotonic_now() + ns(20ms);
    EXPECT_EQ(parker.wait(deadline), 0u);
    EXPECT_GE(monotonic_now(), deadline);
    // One that has passed already, and a message that came with it.
    parker.post(8);
    EXPECT_EQ(parker.wait(deadline), 8u);
    EXPECT_EQ(parker.wait(deadline), 0u);
}

// Waits of any length, so that both ways of waiting are gone, and the way from one to
// the other, in which a message could slip through.
TEST(Parker, NoMessageIsLostBetweenTwoThreads)
{
    constexpr int rounds = 20'000;
    std::array<Parker, 2> parkers;
    const auto play = [&](int self) {
        unsigned random = 12345u + static_cast<unsigned>(self);
        for (int i = 0; i < rounds; ++i) {
            if (i % 2 == self) {
                random = random * 1664525u + 1013904223u;
                // Up to 3 us mostly, around the bound of a short wait at times.
                const uint64_t pause =
                    random >> 16 & 127 ? random >> 8 & 0xfff : 60'000 + (random >> 8 & 0xffff);
                for (const uint64_t until = monotonic_now() + pause; monotonic_now() < until;) {}
                parkers[1 - self].post(1u << (i % 3));
            } else {
                ASSERT_EQ(parkers[self].wait(lost()), 1u << (i % 3)) << "round " << i;
            }
        }
    };
    std::thread other(play, 1);
    play(0);
    other.join();
}

// Several threads have a bit each, and post it again when it was seen.
TEST(Parker, NoMessageOfManyIsLost)
{
    constexpr unsigned posters = 4;
    constexpr int rounds = 2'000;
    Parker parker;
    std::array<std::atomic<int>, posters> seen{};
    std::vector<std::thread> threads;
    for (unsigned self = 0; self < posters; ++self)
        threads.emplace_back([&, self] {
            for (int i = 0; i < rounds; ++i) {
                parker.post(1u << self);
                while (seen[self].load() <= i)
                    std::this_thread::yield();
            }
        });
    bool complete = true;
    for (int left = static_cast<int>(posters) * rounds; left > 0 && complete;) {
        const uint32_t bits = parker.wait(lost());
        complete = bits != 0;
        for (unsigned i = 0; i < posters; ++i) {
            if (bits >> i & 1) {
                ++seen[i];
                --left;
            }
        }
    }
    EXPECT_TRUE(complete);
    if (!complete)
        for (std::atomic<int>& count : seen)
            count = rounds;  // lets the threads go
    for (std::thread& thread : threads)
        thread.join();
}

// Also after short waits, when a thread looks out for messages.
TEST(Parker, AThreadThatWaitsLongSleeps)
{
    Parker parker;
    std::atomic<bool> stop{false};
    std::thread poster([&] {
        for (int i = 0; i < 100; ++i) {
            parker.post(1);
            std::this_thread::yield();
        }
        stop = true;
    });
    while (!stop)
        parker.wait(monotonic_now() + ns(1ms));
    poster.join();
    parker.take();

    const auto used = [] { return lkl::posix::read_clock(CLOCK_THREAD_CPUTIME_ID); };
    const uint64_t before = used();
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(parker.wait(monotonic_now() + ns(100ms)), 0u);
    EXPECT_LT(used() - before, ns(400ms) / 4);
}

}  // namespace
