// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <lkl/asm/errno.h>

#include "capi/command_line.hpp"

namespace {

using lkl::KernelOptions;
using lkl::capi::parse_command_line;

constexpr uint64_t mebibyte = uint64_t{1} << 20;

TEST(CapiCommandLine, WithoutAnythingItIsTheDefault)
{
    for (const char* text : {"", "  \t\n "}) {
        const auto options = parse_command_line(text);
        ASSERT_TRUE(options);
        EXPECT_EQ(options->memory, 64 * mebibyte);
        EXPECT_EQ(options->command_line, "");
    }
}

TEST(CapiCommandLine, TakesTheMemoryOut)
{
    const auto options = parse_command_line("quiet mem=32M  loglevel=7 ");
    ASSERT_TRUE(options);
    EXPECT_EQ(options->memory, 32 * mebibyte);
    EXPECT_EQ(options->command_line, "quiet loglevel=7");
}

TEST(CapiCommandLine, KnowsTheKernelsFormsOfASize)
{
    const struct {
        const char* text;
        uint64_t size;
    } cases[] = {
        {"mem=67108864", 64 * mebibyte},  {"mem=65536k", 64 * mebibyte},
        {"mem=65536K", 64 * mebibyte},    {"mem=2g", 2048 * mebibyte},
        {"mem=0x4000000", 64 * mebibyte}, {"mem=0X40M", 64 * mebibyte},
        {"mem=0100M", 64 * mebibyte},     {"mem=0", 0},
    };
    for (const auto& [text, size] : cases) {
        const auto options = parse_command_line(text);
        ASSERT_TRUE(options) << text;
        EXPECT_EQ(options->memory, size) << text;
        EXPECT_EQ(options->command_line, "") << text;
    }
}

TEST(CapiCommandLine, TheLastSizeCounts)
{
    const auto options = parse_command_line("mem=16M mem=128M");
    ASSERT_TRUE(options);
    EXPECT_EQ(options->memory, 128 * mebibyte);
}

TEST(CapiCommandLine, RefusesWhatIsNoSize)
{
    for (const char* text : {"mem=", "mem=M", "mem=64X", "mem=64MB", "mem=-1", "mem= 64M",
                             "mem=99999999999999999999", "mem=17179869184G", "mem=09"}) {
        const auto options = parse_command_line(text);
        ASSERT_FALSE(options) << text;
        EXPECT_EQ(options.error().code, LKL_EINVAL) << text;
        EXPECT_NE(options.error().what.find("mem="), std::string::npos) << text;
    }
}

TEST(CapiCommandLine, LeavesWhatOnlyLooksLikeIt)
{
    const char* text = "memtest=4 foo.mem=1 name=\"a mem=1 b\" -- mem=1";
    const auto options = parse_command_line(text);
    ASSERT_TRUE(options);
    EXPECT_EQ(options->memory, 64 * mebibyte);
    EXPECT_EQ(options->command_line, text);
}

}  // namespace
