// SPDX-License-Identifier: GPL-2.0-only
// What further names of a file are linked to.
#include <gtest/gtest.h>

#include "common/tree/given_links.hpp"

namespace {

using tools::GivenLinks;
using tools::Identity;

constexpr Identity one{.inode = 1};
constexpr Identity other{.inode = 2};

TEST(GivenLinks, AFileIsFoundUntilItIsForgotten)
{
    GivenLinks links;
    EXPECT_EQ(links.find(one), nullptr);
    links.add(one, {"a", 7});
    ASSERT_NE(links.find(one), nullptr);
    EXPECT_EQ(links.find(one)->path, "a");
    EXPECT_EQ(links.find(one)->number, 7U);
    links.forget(one);
    links.forget(other);
    EXPECT_EQ(links.find(one), nullptr);
    links.add(one, {"b", 8});
    EXPECT_EQ(links.find(one)->path, "b");
}

TEST(GivenLinks, AnotherFileTakesThePath)
{
    GivenLinks links;
    links.add(one, {"a", 1});
    links.take("a", one);
    links.take("b", other);
    EXPECT_NE(links.find(one), nullptr);
    links.take("a", other);
    EXPECT_EQ(links.find(one), nullptr);
    links.add(other, {"a", 2});
    links.take("a", one);
    EXPECT_EQ(links.find(other), nullptr);
}

TEST(GivenLinks, APathThatWasForgottenIsNobodys)
{
    GivenLinks links;
    links.add(one, {"a", 1});
    links.forget(one);
    links.add(one, {"b", 2});
    links.take("a", other);
    EXPECT_NE(links.find(one), nullptr);
}

}  // namespace
