// SPDX-License-Identifier: GPL-2.0-only
// Which directories are taken for such without an end.
#include <cstddef>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "common/tree/repeated_entries.hpp"

namespace {

using tools::RepeatedEntries;

constexpr size_t first = RepeatedEntries::first_look;

// How many entries are taken of `count`: entry(i) gives the i-th to the object.
template <typename Entry>
size_t taken(size_t count, Entry entry)
{
    RepeatedEntries entries;
    for (size_t i = 0; i < count; i++) {
        if (!entry(entries, i))
            return i;
    }
    return count;
}

TEST(RepeatedEntries, AMillionNamesAreOneDirectory)
{
    constexpr size_t count = 1'100'000;
    EXPECT_EQ(taken(count, [](RepeatedEntries& entries,
                              size_t i) { return entries.add(i + 2, std::to_string(i)); }),
              count);
}

TEST(RepeatedEntries, OneFileHasManyNames)
{
    constexpr size_t count = 4 * first;
    EXPECT_EQ(taken(count, [](RepeatedEntries& entries,
                              size_t i) { return entries.add(7, std::to_string(i)); }),
              count);
}

// As names are in a charset that lacks most of their letters.
TEST(RepeatedEntries, ManyFilesAreShownByOneName)
{
    constexpr size_t count = 4 * first;
    EXPECT_EQ(taken(count, [](RepeatedEntries& entries, size_t i) { return entries.add(i, "?"); }),
              count);
}

TEST(RepeatedEntries, AFewThatComeTwiceAreReadOn)
{
    constexpr size_t count = 4 * first;
    // Each third is the one before it.
    EXPECT_EQ(taken(count,
                    [](RepeatedEntries& entries, size_t i) {
                        const size_t number = i % 3 == 2 ? i - 1 : i;
                        return entries.add(number, std::to_string(number));
                    }),
              count);
    // A small directory may repeat what it likes.
    EXPECT_EQ(
        taken(first - 1, [](RepeatedEntries& entries, size_t) { return entries.add(1, "name"); }),
        first - 1);
}

TEST(RepeatedEntries, ACircleEndsSoon)
{
    for (const size_t length : {size_t{1}, size_t{2}, first - 1, first, 3 * first, 5 * first + 1}) {
        const size_t most = first > 4 * length ? first : 4 * length;
        for (const size_t before : {size_t{0}, length / 2}) {
            EXPECT_LE(taken(1 << 22,
                            [=](RepeatedEntries& entries, size_t i) {
                                const size_t number =
                                    i < before ? i : before + (i - before) % length;
                                return entries.add(number, std::to_string(number));
                            }),
                      most + 4 * before)
                << length;
        }
    }
}

// A few blocks of names in ever other orders.
TEST(RepeatedEntries, RepetitionNeedsNoOrder)
{
    uint64_t state = 1;
    EXPECT_LT(taken(1 << 22,
                    [&state](RepeatedEntries& entries, size_t) {
                        state = state * 6364136223846793005 + 1442695040888963407;
                        const uint64_t number = (state >> 33) % 1000;
                        return entries.add(number, std::to_string(number));
                    }),
              first);
}

}  // namespace
