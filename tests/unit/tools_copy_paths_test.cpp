// SPDX-License-Identifier: GPL-2.0-only
// Paths of sources and of members of archives.
#include <gtest/gtest.h>

#include "common/tar/archive_reader.hpp"
#include "common/tree/directory_stack.hpp"
#include "common/tree/sources.hpp"

namespace {

TEST(CopyPathsTest, SourcesAreADirectoryAndAName)
{
    const auto split = [](const char* path) {
        const tools::SourcePath parts = tools::split_source(path);
        return parts.directory + '|' + parts.name;
    };
    EXPECT_EQ(split("file"), ".|file");
    EXPECT_EQ(split("a/b"), "a/|b");
    EXPECT_EQ(split("a/b//"), "a/|b");
    EXPECT_EQ(split("/b"), "/|b");
    EXPECT_EQ(split("/"), "/|");
    EXPECT_EQ(split("a/."), "a/.|");
    EXPECT_EQ(split(".."), "..|");
}

TEST(CopyPathsTest, MembersStayBelowTheDestination)
{
    EXPECT_EQ(tools::path_below("./a//b/"), "a/b");
    EXPECT_EQ(tools::path_below("/etc/passwd"), "etc/passwd");
    EXPECT_EQ(tools::path_below("./"), "");
    for (const char* path : {"..", "../a", "a/..", "a/../b", "/.."})
        EXPECT_FALSE(tools::path_below(path)) << path;
    EXPECT_FALSE(tools::path_below(std::string_view("a\0b", 3)));
    EXPECT_FALSE(tools::is_name("a/b"));
    EXPECT_TRUE(tools::is_name("..."));
}

}  // namespace
