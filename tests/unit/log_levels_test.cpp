// SPDX-License-Identifier: GPL-2.0-only
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <core/log_levels.hpp>

namespace lkl::test {
namespace {

using Lines = std::vector<std::pair<int, std::string>>;

Lines lines_of(std::string_view text)
{
    Lines lines;
    for_each_log_line(text, [&](int level, std::string_view line) {
        lines.emplace_back(level, std::string(line));
    });
    return lines;
}

TEST(LogLevels, EachLineHasItsOwn)
{
    EXPECT_EQ(lines_of("<6>[    0.000000] one\n<0>[    0.000001] two\n<7>\n"),
              (Lines{{6, "[    0.000000] one\n"}, {0, "[    0.000001] two\n"}, {7, "\n"}}));
    EXPECT_EQ(lines_of("<3>no newline"), (Lines{{3, "no newline"}}));
    EXPECT_EQ(lines_of(""), Lines{});
}

TEST(LogLevels, AFacilityIsNoPartOfIt)
{
    EXPECT_EQ(lines_of("<12>user\n<187>local\n"), (Lines{{4, "user\n"}, {3, "local\n"}}));
}

TEST(LogLevels, WhatComesBehindIsText)
{
    EXPECT_EQ(lines_of("<5><1>text\n"), (Lines{{5, "<1>text\n"}}));
}

TEST(LogLevels, ALineWithoutOneHasTheDefault)
{
    for (const std::string line : {"** 3 printk messages dropped **\n", "<\n", "<>\n", "<x>\n",
                                   "<6\n", "<-1>\n", "< 6>\n", "<6x>\n", "<99999999999>\n", "\n"})
        EXPECT_EQ(lines_of(line), (Lines{{4, line}}));
    // The sign belongs to the next line.
    EXPECT_EQ(lines_of("<6\n<6>\n"), (Lines{{4, "<6\n"}, {6, "\n"}}));
}

}  // namespace
}  // namespace lkl::test
