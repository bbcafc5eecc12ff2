// SPDX-License-Identifier: GPL-2.0-only
// How the tools show bytes that come from an image.
#include "common/report.hpp"

#include <gtest/gtest.h>

#include "common/progress.hpp"

namespace {

using tools::escaped;
using tools::format_size;

TEST(Escaped, TextStaysAsItIs)
{
    EXPECT_EQ(escaped("usr/share/a file-1.txt"), "usr/share/a file-1.txt");
    EXPECT_EQ(escaped("grüße, 日本語, 🙂"), "grüße, 日本語, 🙂");
    EXPECT_EQ(escaped(""), "");
}

TEST(Escaped, NothingCanDriveTheTerminal)
{
    EXPECT_EQ(escaped("a\nb"), "a\\012b");
    EXPECT_EQ(escaped("\x1b[31mred"), "\\033[31mred");
    EXPECT_EQ(escaped("\x7f\r\t"), "\\177\\015\\011");
    EXPECT_EQ(escaped(std::string_view("\0", 1)), "\\000");
    EXPECT_EQ(escaped("\xc2\x9b"), "\\302\\233");           // C1: control sequence introducer
    EXPECT_EQ(escaped("\xe2\x80\xae"), "\\342\\200\\256");  // right-to-left override
}

TEST(Escaped, IsReversible)
{
    EXPECT_EQ(escaped("back\\slash"), "back\\\\slash");
    EXPECT_NE(escaped("\\012"), escaped("\n"));
}

TEST(Escaped, BytesThatAreNotUtf8AreShownAsSuch)
{
    EXPECT_EQ(escaped("caf\xe9"), "caf\\351");
    EXPECT_EQ(escaped("\xc3"), "\\303");                             // cut off
    EXPECT_EQ(escaped("\xc0\xaf"), "\\300\\257");                    // overlong
    EXPECT_EQ(escaped("\xe0\x80\xaf"), "\\340\\200\\257");           // overlong
    EXPECT_EQ(escaped("\xed\xa0\x80"), "\\355\\240\\200");           // surrogate
    EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\\364\\220\\200\\200");  // past the end
    EXPECT_EQ(escaped("\xffok"), "\\377ok");
}

TEST(FormatSize, HasThreeDigitsAndAUnit)
{
    EXPECT_EQ(format_size(0), "0 B");
    EXPECT_EQ(format_size(999), "999 B");
    EXPECT_EQ(format_size(1000), "0.98 KiB");
    EXPECT_EQ(format_size(1024), "1.00 KiB");
    EXPECT_EQ(format_size(10240), "10.0 KiB");
    EXPECT_EQ(format_size(123u << 20), "123 MiB");
    EXPECT_EQ(format_size(~uint64_t{0}), "16.0 EiB");
}

}  // namespace
