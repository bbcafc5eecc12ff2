// SPDX-License-Identifier: GPL-2.0-only
// What --chmod, --owner and --map-users understand, and what they do.
#include <gtest/gtest.h>

#include "common/tree/mode_change.hpp"
#include "common/tree/rewrite.hpp"

namespace {

uint32_t changed(const char* text, uint32_t mode, bool directory = false)
{
    const auto change = tools::ModeChange::parse(text);
    EXPECT_TRUE(change) << text;
    return change ? change->apply(mode, directory) : 0;
}

TEST(ModeChangeTest, OctalReplacesAllBits)
{
    EXPECT_EQ(changed("644", 04755), 0644u);
    EXPECT_EQ(changed("4755", 0), 04755u);
    EXPECT_EQ(changed("0", 0777), 0u);
}

TEST(ModeChangeTest, SymbolicStepsChangeTheirClassesAlone)
{
    EXPECT_EQ(changed("go-w", 0777), 0755u);
    EXPECT_EQ(changed("u+s,o=", 0755), 04750u);
    EXPECT_EQ(changed("u=rw,g=r", 07777), 01647u);
    EXPECT_EQ(changed("+t", 0755), 01755u);
    EXPECT_EQ(changed("a-x", 0755), 0644u);
}

TEST(ModeChangeTest, LargeXIsForDirectoriesAndPrograms)
{
    EXPECT_EQ(changed("u=rwX,go=rX", 0600), 0644u);
    EXPECT_EQ(changed("u=rwX,go=rX", 0700), 0755u);
    EXPECT_EQ(changed("u=rwX,go=rX", 0600, true), 0755u);
}

TEST(ModeChangeTest, OtherTextsAreRefused)
{
    for (const char* text : {"", "888", "10000", "u", "u=q", "x+r", "u=r,", ",u=r", "-1", "644 "})
        EXPECT_FALSE(tools::ModeChange::parse(text)) << text;
}

TEST(RewriteTest, OwnersAndRangesAreParsed)
{
    EXPECT_EQ(tools::parse_owner("12:34")->gid, 34u);
    EXPECT_EQ(tools::parse_id_range("1:2")->count, 1u);
    EXPECT_EQ(tools::parse_id_range("1:2:3")->count, 3u);
    for (const char* text : {"", "1", "1:", ":1", "1:2:3", "a:b", "4294967295:0", "4294967296:0"})
        EXPECT_FALSE(tools::parse_owner(text)) << text;
    for (const char* text : {"1", "1:2:0", "1:2:3:4", "0:4294967290:10", "-1:2"})
        EXPECT_FALSE(tools::parse_id_range(text)) << text;
}

TEST(RewriteTest, RangesMapOwnersAndAcls)
{
    tools::Rewrite rewrite;
    rewrite.ids = {{1000, 0, 10}, {1000, 77, 1}};
    tools::Entry entry;
    entry.uid = 1003;
    entry.gid = 1010;
    // A version, then a user 1001 that may read.
    entry.attributes = {{"system.posix_acl_access", std::string("\2\0\0\0"
                                                                "\2\0\4\0\xe9\3\0\0",
                                                                12)}};
    rewrite.apply(entry);
    EXPECT_EQ(entry.uid, 3u);
    EXPECT_EQ(entry.gid, 1010u);
    EXPECT_EQ(entry.attributes[0].value.substr(8), std::string("\1\0\0\0", 4));
}

}  // namespace
