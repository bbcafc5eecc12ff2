// SPDX-License-Identifier: GPL-2.0-only
#include <climits>
#include <cstdio>
#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include <lkl.h>

#include "capi/errors.hpp"

namespace {

TEST(CapiErrors, TextsAreThoseOfTheHostsLibrary)
{
    // The host's numbers are the kernel's generic ones on this machine.
    for (int code = 0; code <= LKL_EHWPOISON; code++) {
        if (code == 41 || code == 58)
            continue;
        EXPECT_STREQ(lkl_strerror(code), strerror(code)) << code;
        EXPECT_STREQ(lkl_strerror(-code), strerror(code)) << code;
    }
}

TEST(CapiErrors, OtherNumbersAreUnknown)
{
    for (const int code : {41, 58, LKL_EHWPOISON + 1, 523, 525, 4095, INT_MAX, INT_MIN})
        EXPECT_STREQ(lkl_strerror(code), "Unknown error") << code;
    EXPECT_STREQ(lkl_strerror(-524), "Operation is not supported");
}

TEST(CapiErrors, PerrorWritesOneLineToTheErrorOutput)
{
    testing::internal::CaptureStderr();
    lkl_perror("open /etc", -LKL_ENOENT);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "open /etc: No such file or directory\n");
}

TEST(CapiErrors, AFailureKeepsItsTextAndGivesTheNumber)
{
    EXPECT_EQ(lkl::capi::fail(LKL_EBUSY, "first"), -LKL_EBUSY);
    EXPECT_STREQ(lkl_error_message(), "first");
    EXPECT_EQ(lkl::capi::fail(lkl::Error{LKL_EIO, "second"}), -LKL_EIO);
    EXPECT_STREQ(lkl_error_message(), "second");
}

TEST(CapiPrint, GoesToTheHostsPrintWhenThereIsOne)
{
    static std::string seen;
    lkl_host_operations ops{};
    ops.print = [](const char* text, int length) {
        seen.append(text, static_cast<size_t>(length));
    };
    ASSERT_EQ(lkl_init(&ops), 0);
    EXPECT_EQ(lkl_printf("%s is %d\n", "six", 6), 9);
    EXPECT_EQ(seen, "six is 6\n");
    lkl_cleanup();
    EXPECT_EQ(lkl_host_ops.print, nullptr) << "the library prints by itself";
}

TEST(CapiPrint, GoesToTheErrorOutputElse)
{
    testing::internal::CaptureStderr();
    EXPECT_EQ(lkl_printf("%05d", 42), 5);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "00042");
}

TEST(CapiBugDeathTest, EndsTheProgram)
{
    EXPECT_DEATH(lkl_bug("number %d", 7), "number 7");

    lkl_host_operations ops{};
    ops.panic = [] { _exit(3); };
    ASSERT_EQ(lkl_init(&ops), 0);
    EXPECT_EXIT(lkl_bug("with panic"), testing::ExitedWithCode(3), "with panic");
    lkl_cleanup();
}

}  // namespace
