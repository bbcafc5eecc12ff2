// SPDX-License-Identifier: GPL-2.0-only
// What the C interface says while no kernel runs.
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include <lkl.h>

namespace {

TEST(CapiWithoutKernel, SystemCallsReturnShutdown)
{
    long params[6] = {};
    EXPECT_EQ(lkl_syscall(__lkl__NR_getpid, params), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_sys_getpid(), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_sys_open("/", LKL_O_RDONLY, 0), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_sys_poll(nullptr, 0, 0), -LKL_ESHUTDOWN);
    EXPECT_EQ(reinterpret_cast<long>(lkl_sys_mmap(nullptr, 4096, LKL_PROT_READ,
                                                  LKL_MAP_PRIVATE | LKL_MAP_ANONYMOUS, -1, 0)),
              -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_sys_fork(), -LKL_ENOSYS);
}

TEST(CapiWithoutKernel, FunctionsFailWithANumberAndAText)
{
    lkl_disk disk{};
    char path[32];
    uint32_t device = 0;
    EXPECT_EQ(lkl_disk_add(&disk), -LKL_ESHUTDOWN);
    EXPECT_STREQ(lkl_error_message(), "no kernel runs, and lkl_init() was not called");
    EXPECT_EQ(lkl_disk_remove(disk), -LKL_EINVAL);
    EXPECT_EQ(lkl_get_virtio_blkdev(0, 0, &device), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_mount_dev(0, 0, "ext4", 0, nullptr, path, sizeof(path)), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_umount_dev(0, 0, 0, 1000), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_umount_timeout("/mnt", 0, -1), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_mount_fs("proc"), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_sysctl("kernel.hostname", "a"), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_sysctl_parse_write("kernel.hostname=a;vm.swappiness=1"), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_set_fd_limit(100), -LKL_ESHUTDOWN);
    int error = 0;
    EXPECT_EQ(lkl_opendir("/", &error), nullptr);
    EXPECT_EQ(error, -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_fdopendir(3, &error), nullptr);
    EXPECT_EQ(error, -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_is_running(), 0);
    EXPECT_STREQ(lkl_panic_message(), "");
    EXPECT_EQ(lkl_sys_halt(), -LKL_ESHUTDOWN);
    lkl_cleanup();
}

// They link, and say that they do nothing.
TEST(CapiWithoutKernel, WhatIsNotThereSaysSo)
{
    EXPECT_EQ(lkl_get_free_irq("program"), -LKL_ENOSYS);
    EXPECT_STREQ(lkl_error_message(), "lkl_get_free_irq(): not in this library");
    EXPECT_EQ(lkl_trigger_irq(1), -LKL_ENOSYS);
    EXPECT_STREQ(lkl_error_message(), "lkl_trigger_irq(): not in this library");
    lkl_put_irq(1, "program");
    EXPECT_STREQ(lkl_error_message(), "lkl_put_irq(): not in this library");
    lkl_register_dbg_handler();
    EXPECT_STREQ(lkl_error_message(), "lkl_register_dbg_handler(): not in this library");
}

TEST(CapiWithoutKernel, ASettingNeedsAValue)
{
    EXPECT_EQ(lkl_sysctl_parse_write(""), 0);
    EXPECT_EQ(lkl_sysctl_parse_write(";;"), 0);
    EXPECT_EQ(lkl_sysctl_parse_write("kernel.hostname"), -LKL_EINVAL);
    EXPECT_NE(std::string(lkl_error_message()).find("kernel.hostname"), std::string::npos);
}

TEST(CapiWithoutKernel, StartNeedsInit)
{
    EXPECT_EQ(lkl_start_kernel("mem=%dM", 64), -LKL_EINVAL);
    EXPECT_EQ(lkl_init(nullptr), -LKL_EINVAL);
    EXPECT_EQ(lkl_start_kernel("mem=%dM", 64), -LKL_EINVAL);
}

TEST(CapiWithoutKernel, AFailedStartCanBeRepeated)
{
    ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    EXPECT_EQ(lkl_start_kernel("mem=%s", "much"), -LKL_EINVAL);
    EXPECT_NE(std::string(lkl_error_message()).find("mem=much"), std::string::npos);

    const char* const image = std::getenv("LKL_KERNEL_IMAGE");
    const std::string before = image ? image : "";
    ASSERT_EQ(setenv("LKL_KERNEL_IMAGE", "/nonexistent/image", 1), 0);
    EXPECT_EQ(lkl_start_kernel("mem=64M"), -LKL_ENOENT);
    EXPECT_NE(std::string(lkl_error_message()).find("/nonexistent/image"), std::string::npos);
    EXPECT_EQ(lkl_start_kernel("mem=64M"), -LKL_ENOENT);
    setenv("LKL_KERNEL_IMAGE", before.c_str(), 1);

    EXPECT_EQ(lkl_is_running(), 0);
    EXPECT_EQ(lkl_sys_getpid(), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_init(&lkl_host_ops), 0);
    lkl_cleanup();
}

}  // namespace
