// SPDX-License-Identifier: GPL-2.0-only
// lkl::MountOptions::add(): options in the way of mount -o.
#include <lkl/mount.hpp>

#include <gtest/gtest.h>

#include <lkl/linux/mount.h>

namespace {

lkl::MountOptions parsed(std::string_view text)
{
    lkl::MountOptions options;
    options.add(text);
    return options;
}

TEST(MountOptions, WordsOfEveryFileSystemBecomeFlags)
{
    const auto options = parsed("ro,noatime,nodev");
    EXPECT_EQ(options.flags,
              static_cast<unsigned long>(LKL_MS_RDONLY | LKL_MS_NOATIME | LKL_MS_NODEV));
    EXPECT_EQ(options.data, "");
}

TEST(MountOptions, OtherWordsAreDataInTheirOrder)
{
    const auto options = parsed("data=journal,ro,commit=5,user_xattr");
    EXPECT_EQ(options.flags, static_cast<unsigned long>(LKL_MS_RDONLY));
    EXPECT_EQ(options.data, "data=journal,commit=5,user_xattr");
}

TEST(MountOptions, LaterWordsOverruleEarlierOnes)
{
    EXPECT_EQ(parsed("ro,rw").flags, 0u);
    EXPECT_EQ(parsed("rw,ro").flags, static_cast<unsigned long>(LKL_MS_RDONLY));
    EXPECT_EQ(parsed("noatime,strictatime").flags, static_cast<unsigned long>(LKL_MS_STRICTATIME));

    lkl::MountOptions options;
    options.add("ro,errors=panic");
    options.add("rw,errors=continue");
    EXPECT_EQ(options.flags, 0u);
    EXPECT_EQ(options.data, "errors=panic,errors=continue");
}

TEST(MountOptions, FlagsThatWereSetBeforeStay)
{
    lkl::MountOptions options;
    options.flags = LKL_MS_NOSUID;
    options.add("ro");
    EXPECT_EQ(options.flags, static_cast<unsigned long>(LKL_MS_NOSUID | LKL_MS_RDONLY));
}

TEST(MountOptions, QuotedCommasBelongToTheValue)
{
    const auto options = parsed(R"(context="u:object_r:t:s0:c1,c2",ro)");
    EXPECT_EQ(options.flags, static_cast<unsigned long>(LKL_MS_RDONLY));
    EXPECT_EQ(options.data, R"(context="u:object_r:t:s0:c1,c2")");
}

TEST(MountOptions, EmptyPartsAreNothing)
{
    EXPECT_EQ(parsed("").data, "");
    EXPECT_EQ(parsed(",,").data, "");
    EXPECT_EQ(parsed("a,,b,").data, "a,b");
    EXPECT_EQ(parsed("defaults").flags, 0u);
}

TEST(MountOptions, AWordIsTheWholeOption)
{
    const auto options = parsed("ro=1,rox,xro");
    EXPECT_EQ(options.flags, 0u);
    EXPECT_EQ(options.data, "ro=1,rox,xro");
}

}  // namespace
