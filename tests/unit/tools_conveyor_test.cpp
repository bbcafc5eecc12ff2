// SPDX-License-Identifier: GPL-2.0-only
// Conveyor: order, failures, and how it ends.
#include <common/conveyor.hpp>

#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace {

struct Batch {
    int value = 0;
};
using Belt = tools::Conveyor<Batch>;

// How the end was called, if it was; not more than once.
class End {
public:
    std::function<void(bool)> function()
    {
        return [this](bool complete) {
            EXPECT_FALSE(how_);
            how_ = complete;
        };
    }
    std::optional<bool> how() const { return how_; }

private:
    std::optional<bool> how_;  // read when the thread has ended
};

TEST(Conveyor, BatchesComeInOrder)
{
    std::vector<int> seen;
    End end;
    Belt belt(
        std::vector<Batch>(3), [&](Batch& batch) { seen.push_back(batch.value); }, end.function());
    std::vector<int> sent;
    for (int i = 0; i < 1000; ++i) {
        belt.current().value = i;
        sent.push_back(i);
        if (i < 999)
            belt.hand_over();
    }
    belt.finish();
    EXPECT_EQ(seen, sent);
    EXPECT_EQ(end.how(), true);
}

TEST(Conveyor, WhatTheConsumerThrowsReachesTheOther)
{
    End end;
    int handed = 0;
    Belt belt(
        std::vector<Batch>(3),
        [&](Batch& batch) {
            if (batch.value == 5)
                throw std::runtime_error("five");
        },
        end.function());
    const auto fill = [&] {
        for (;; ++handed) {
            belt.current().value = handed;
            belt.hand_over();
        }
    };
    EXPECT_THROW(fill(), std::runtime_error);
    EXPECT_GE(handed, 5);
    EXPECT_LE(handed, 5 + 3);  // no further than there are batches
    EXPECT_THROW(belt.hand_over(), std::runtime_error);
    EXPECT_THROW(belt.finish(), std::runtime_error);
    EXPECT_EQ(end.how(), false);
}

TEST(Conveyor, ItCanBeEmptiedOnTheWay)
{
    std::atomic<int> consumed{0};
    End end;
    Belt belt(
        std::vector<Batch>(3),
        [&](Batch& batch) {
            if (batch.value == 9)
                throw std::runtime_error("nine");
            ++consumed;
        },
        end.function());
    for (int i = 1; i < 100; ++i) {
        belt.current().value = 0;
        if (i % 7 != 0) {
            belt.hand_over();
            continue;
        }
        belt.empty_all();
        EXPECT_EQ(consumed, i);
    }
    belt.current().value = 9;
    EXPECT_THROW(belt.empty_all(), std::runtime_error);
}

TEST(Conveyor, AFailureOfTheEndIsTold)
{
    std::atomic<int> ends{0};
    Belt belt(
        std::vector<Batch>(2), [](Batch&) {},
        [&](bool) {
            ++ends;
            throw std::runtime_error("end");
        });
    belt.hand_over();
    EXPECT_THROW(belt.finish(), std::runtime_error);
    EXPECT_EQ(ends, 1);
}

TEST(Conveyor, WithoutAFinishItIsNotComplete)
{
    End end;
    {
        Belt belt(
            std::vector<Batch>(3), [](Batch&) {}, end.function());
        belt.hand_over();
    }
    EXPECT_EQ(end.how(), false);
}

}  // namespace
