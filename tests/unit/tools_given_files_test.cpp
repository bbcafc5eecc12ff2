// SPDX-License-Identifier: GPL-2.0-only
// Which files may have the name of an earlier source's.
#include <gtest/gtest.h>

#include "common/tree/given_files.hpp"

namespace {

using tools::GivenFiles;
using tools::Identity;

constexpr Identity one{.inode = 1};
constexpr Identity other{.inode = 2};

TEST(GivenFiles, SourcesOfOneNameKeepTheirFiles)
{
    GivenFiles files;
    files.expect({"a", "b", "a"});
    files.start("a");
    EXPECT_TRUE(files.add("a/file", one));
    EXPECT_TRUE(files.add("a/file", one));
    files.start("b");
    EXPECT_TRUE(files.add("b/file", one));
    files.start("a");
    EXPECT_FALSE(files.add("a/file", other));
    EXPECT_TRUE(files.add("a/file", one));
    EXPECT_TRUE(files.add("a/more", other));
}

TEST(GivenFiles, AnyOtherSourceReplaces)
{
    GivenFiles files;
    files.expect({"a", "", "b", ""});
    for (const char* name : {"a", "", "b", ""}) {
        files.start(name);
        EXPECT_TRUE(files.add("a/file", one)) << name;
        EXPECT_TRUE(files.add("a/file", other)) << name;
    }
}

}  // namespace
