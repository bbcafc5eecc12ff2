// SPDX-License-Identifier: GPL-2.0-only
// What the tools pick out of the kernel's log for their error messages.
#include "common/kernel_log.hpp"

#include <gtest/gtest.h>

namespace {

using tools::KernelLog;
using tools::panic_reason;

TEST(KernelLog, ExplainsWithTheFirstOfTheLastErrorsOfTheDisk)
{
    KernelLog log(false);
    const auto listen = log.listener();
    listen("[    0.100000] EXT4-fs error (device vda): long ago\n");
    for (int i = 0; i < 8; i++)
        listen("[    0.150000] EXT4-fs (vda): fine\n");
    listen(
        "[    0.200000] EXT4-fs (vda): get root inode failed\n"
        "[    0.300000] EXT4-fs error (device vdb): of another disk\n"
        "[    0.300000] EXT4-fs (vda): mount failed\n"
        "[    0.400000] random: an error somewhere\n");
    EXPECT_EQ(log.explanation("vda"), "EXT4-fs (vda): get root inode failed");
}

TEST(KernelLog, ExplainsWithAnyErrorWhenNoneNamesTheDisk)
{
    KernelLog log(false);
    const auto listen = log.listener();
    listen("[    0.100000] squashfs: Unable to read superblock");
    listen("[    0.200000]  vda: vda1 vda2");
    EXPECT_EQ(log.explanation("vda"), "squashfs: Unable to read superblock");
}

TEST(KernelLog, HasNothingToSayOfASilentKernel)
{
    KernelLog log(false);
    EXPECT_EQ(log.explanation("vda"), "");
    log.listener()("[    0.100000] Linux version 6.12");
    log.listener()("[    0.200000]  vda: vda1 vda2");
    EXPECT_EQ(log.explanation("vda"), "");
}

TEST(KernelLog, ForgetsOnDemand)
{
    KernelLog log(false);
    log.listener()("EXT4-fs error (device vda): bad");
    log.clear();
    EXPECT_EQ(log.explanation("vda"), "");
}

TEST(KernelLog, KeepsTheEndOfALongLog)
{
    KernelLog log(false);
    const auto listen = log.listener();
    for (int i = 0; i < 10000; i++)
        listen("[    0.100000] some line of the boot, of no interest whatever\n");
    listen("[    9.000000] XFS (vda): Metadata CRC error\n");
    EXPECT_EQ(log.explanation("vda"), "XFS (vda): Metadata CRC error");
}

TEST(PanicReason, IsTheFirstCause)
{
    EXPECT_EQ(panic_reason("[    1.0] fine\n"
                           "[    1.1] BUG: kernel NULL pointer dereference, address: 0\n"
                           "[    1.2] Oops: 0000\n"
                           "[    1.3] Kernel panic - not syncing: Fatal exception\n"),
              "BUG: kernel NULL pointer dereference, address: 0");
    EXPECT_EQ(panic_reason("[    1.3] Kernel panic - not syncing: EXT4-fs (device vda): forced\n"
                           "[    1.4] ---[ end ]---\n"),
              "Kernel panic - not syncing: EXT4-fs (device vda): forced");
}

TEST(PanicReason, IsTheLastLineIfNothingElse)
{
    EXPECT_EQ(panic_reason("[    1.0] one\n[    1.1] two\n\n"), "two");
    EXPECT_EQ(panic_reason(""), "");
}

}  // namespace
