// SPDX-License-Identifier: GPL-2.0-only
// Timekeeper: each deadline of a turn is raised, none outside, and the thread is there
// only for that.
#include <core/timekeeper.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <platform/posix/clock.hpp>

namespace {

using lkl::Timekeeper;
using lkl::posix::monotonic_now;
using lkl::posix::never;
using namespace std::chrono_literals;

constexpr auto lost = 30s;  // a deadline that is raised so late was lost

constexpr uint64_t ns(std::chrono::nanoseconds time)
{
    return static_cast<uint64_t>(time.count());
}

int keepers()
{
    int count = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        count += name == "lkl-time";
    }
    return count;
}

class TimekeeperTest : public testing::Test {
protected:
    // As the kernel does: each deadline replaces the one before.
    void arm(uint64_t deadline)
    {
        deadline_.store(deadline);
        keeper_.armed(deadline);
    }
    void arm_in(std::chrono::nanoseconds time) { arm(monotonic_now() + ns(time)); }
    bool raised_before_it_is_lost(int count) const
    {
        const uint64_t limit = monotonic_now() + ns(lost);
        while (raised_ < count && monotonic_now() < limit)
            std::this_thread::yield();
        return raised_ >= count;
    }

    std::atomic<uint64_t> deadline_{never};
    std::atomic<int> raised_{0};
    std::atomic<bool> early_{false};
    Timekeeper keeper_{deadline_, [this](uint64_t deadline) {
                           if (monotonic_now() < deadline)
                               early_ = true;
                           if (deadline_.compare_exchange_strong(deadline, never))
                               ++raised_;
                       }};
};

TEST_F(TimekeeperTest, RaisesWhatIsDueInATurn)
{
    const Timekeeper::Turn turn(keeper_);
    for (int i = 1; i <= 50; ++i) {
        arm_in(1ms);
        ASSERT_TRUE(raised_before_it_is_lost(i)) << i;
    }
    EXPECT_FALSE(early_);
    EXPECT_EQ(raised_, 50);
}

TEST_F(TimekeeperTest, RaisesWhatWasSetBeforeTheTurn)
{
    arm_in(1ms);
    const Timekeeper::Turn turn(keeper_);
    EXPECT_TRUE(raised_before_it_is_lost(1));
}

// hrtimer_interrupt() asks for 100 ms where its timers took too long, and for no less then.
TEST_F(TimekeeperTest, RaisesWhatIsATenthOfASecondAway)
{
    const Timekeeper::Turn turn(keeper_);
    arm_in(100ms);
    EXPECT_TRUE(raised_before_it_is_lost(1));
    EXPECT_FALSE(early_);
}

TEST_F(TimekeeperTest, TakesTheEarlierDeadline)
{
    const Timekeeper::Turn turn(keeper_);
    arm_in(140ms);
    std::this_thread::sleep_for(5ms);
    const uint64_t start = monotonic_now();
    arm_in(1ms);
    ASSERT_TRUE(raised_before_it_is_lost(1));
    arm_in(1h);
    std::this_thread::sleep_for(5ms);
    arm_in(1ms);
    ASSERT_TRUE(raised_before_it_is_lost(2));
    EXPECT_GE(monotonic_now() - start, ns(2ms));
    EXPECT_FALSE(early_);
}

TEST_F(TimekeeperTest, IsSilentOutsideTurns)
{
    {
        const Timekeeper::Turn turn(keeper_);
        arm_in(2ms);
        ASSERT_TRUE(raised_before_it_is_lost(1));
        arm_in(5ms);
    }
    std::this_thread::sleep_for(60ms);
    const int in_the_turn = raised_;  // the second one, where this thread was late
    arm_in(1ms);
    std::this_thread::sleep_for(60ms);
    EXPECT_EQ(raised_, in_the_turn);
}

TEST_F(TimekeeperTest, HasNoThreadWithoutNeed)
{
    for (int i = 0; i < 100; ++i) {
        const Timekeeper::Turn turn(keeper_);
        arm_in(10s);
    }
    EXPECT_EQ(keepers(), 0);
    {
        const Timekeeper::Turn turn(keeper_);
        arm_in(1ms);
        ASSERT_TRUE(raised_before_it_is_lost(1));
        EXPECT_EQ(keepers(), 1);
    }
    const uint64_t limit = monotonic_now() + ns(lost);
    while (keepers() > 0 && monotonic_now() < limit)
        std::this_thread::sleep_for(10ms);
    EXPECT_EQ(keepers(), 0);
    // And another one after it.
    const Timekeeper::Turn turn(keeper_);
    arm_in(1ms);
    EXPECT_TRUE(raised_before_it_is_lost(2));
}

// Turns of all lengths about the moments at which the thread naps, looks and ends.
TEST_F(TimekeeperTest, LosesNoDeadlineOfManyTurns)
{
    int expected = 0;
    for (int i = 0; i < 3000; ++i) {
        const Timekeeper::Turn turn(keeper_);
        arm_in(std::chrono::microseconds(i % 97));
        if (i % 3 == 0)
            arm_in(std::chrono::microseconds(i % 31));
        ++expected;
        ASSERT_TRUE(raised_before_it_is_lost(expected)) << i;
        expected = raised_;
    }
    EXPECT_FALSE(early_);
}

TEST(TimekeeperLife, EndsWithItsThread)
{
    for (int i = 0; i < 100; ++i) {
        std::atomic<uint64_t> deadline{never};
        Timekeeper keeper(deadline, [](uint64_t) {});
        {
            const Timekeeper::Turn turn(keeper);
            deadline = monotonic_now() + ns(140ms);
            keeper.armed(deadline);
        }
    }
    // The last ones that were joined may be on the list for a moment yet; forgotten ones would all
    // be there.
    EXPECT_LT(keepers(), 50);
    const uint64_t limit = monotonic_now() + ns(lost);
    while (keepers() > 0 && monotonic_now() < limit)
        std::this_thread::sleep_for(10ms);
    EXPECT_EQ(keepers(), 0);
}

}  // namespace
