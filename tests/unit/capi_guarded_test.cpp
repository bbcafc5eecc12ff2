// SPDX-License-Identifier: GPL-2.0-only
// No null pointer is the end of the program, and no exception leaves a function of C.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <new>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

#include <lkl.h>
#include <lkl_config.h>

#include "capi/guarded.hpp"

namespace {

using lkl::capi::guarded;

constexpr int any = 7;
constexpr int any_family = LKL_AF_INET;

// Where a call's pointers are, but for one.
char text[64] = "fq";
unsigned char bytes[16];
int number;
lkl_config config;

template <typename Pointer>
long refused(Pointer* pointer)
{
    return pointer == nullptr ? -LKL_EINVAL : 0;
}

struct Case {
    const char* function;
    std::function<long()> call;  // with one pointer that is null
};

const Case cases[] = {
    {"lkl_init", [] { return lkl_init(nullptr); }},
    {"lkl_start_kernel",
     [] {
         const char* const format = nullptr;
         return lkl_start_kernel(format);
     }},
    {"lkl_printf",
     [] {
         const char* const format = nullptr;
         return lkl_printf(format);
     }},
    {"lkl_disk_add", [] { return lkl_disk_add(nullptr); }},
    {"lkl_get_virtio_blkdev", [] { return lkl_get_virtio_blkdev(0, 0, nullptr); }},
    {"lkl_mount_dev", [] { return lkl_mount_dev(0, 0, nullptr, 0, text, text, sizeof text); }},
    {"lkl_mount_dev", [] { return lkl_mount_dev(0, 0, text, 0, text, nullptr, sizeof text); }},
    {"lkl_umount_timeout", [] { return lkl_umount_timeout(nullptr, 0, 0); }},
    {"lkl_mount_fs", [] { return lkl_mount_fs(nullptr); }},
    {"lkl_opendir", [] { return refused(lkl_opendir(nullptr, &number)); }},
    {"lkl_opendir", [] { return refused(lkl_opendir("/", nullptr)); }},
    {"lkl_fdopendir", [] { return refused(lkl_fdopendir(any, nullptr)); }},
    {"lkl_readdir", [] { return refused(lkl_readdir(nullptr)); }},
    {"lkl_errdir", [] { return lkl_errdir(nullptr); }},
    {"lkl_rewinddir",
     [] {
         lkl_rewinddir(nullptr);
         return -LKL_EINVAL;
     }},
    {"lkl_dirfd", [] { return lkl_dirfd(nullptr); }},
    {"lkl_closedir", [] { return lkl_closedir(nullptr); }},
    {"lkl_sysctl", [] { return lkl_sysctl(nullptr, text); }},
    {"lkl_sysctl", [] { return lkl_sysctl(text, nullptr); }},
    {"lkl_sysctl_parse_write", [] { return lkl_sysctl_parse_write(nullptr); }},

    {"lkl_ifname_to_ifindex", [] { return lkl_ifname_to_ifindex(nullptr); }},
    {"lkl_if_add_ip", [] { return lkl_if_add_ip(any, any_family, nullptr, 8); }},
    {"lkl_if_del_ip", [] { return lkl_if_del_ip(any, any_family, nullptr, 8); }},
    {"lkl_if_set_ipv6", [] { return lkl_if_set_ipv6(any, nullptr, 64); }},
    {"lkl_if_wait_ipv6_dad", [] { return lkl_if_wait_ipv6_dad(any, nullptr); }},
    {"lkl_set_ipv6_gateway", [] { return lkl_set_ipv6_gateway(nullptr); }},
    {"lkl_add_gateway", [] { return lkl_add_gateway(any_family, nullptr); }},
    {"lkl_if_set_ipv6_gateway", [] { return lkl_if_set_ipv6_gateway(any, nullptr, 8, bytes); }},
    {"lkl_if_set_ipv6_gateway", [] { return lkl_if_set_ipv6_gateway(any, bytes, 8, nullptr); }},
    {"lkl_if_add_rule_from_saddr",
     [] { return lkl_if_add_rule_from_saddr(any, any_family, nullptr); }},
    {"lkl_if_add_linklocal", [] { return lkl_if_add_linklocal(any, any_family, nullptr, 8); }},
    {"lkl_if_add_gateway", [] { return lkl_if_add_gateway(any, any_family, nullptr); }},
    {"lkl_add_neighbor", [] { return lkl_add_neighbor(any, any_family, nullptr, bytes); }},
    {"lkl_add_neighbor", [] { return lkl_add_neighbor(any, any_family, bytes, nullptr); }},
    {"lkl_qdisc_add", [] { return lkl_qdisc_add(any, nullptr, text); }},
    {"lkl_qdisc_add", [] { return lkl_qdisc_add(any, "root", nullptr); }},
    {"lkl_qdisc_parse_add", [] { return lkl_qdisc_parse_add(any, nullptr); }},

    {"lkl_netdev_add", [] { return lkl_netdev_add(nullptr, nullptr); }},
    {"lkl_netdev_get_stats", [] { return lkl_netdev_get_stats(any, nullptr); }},
    {"lkl_netdev_tap_create", [] { return refused(lkl_netdev_tap_create(nullptr, 0)); }},
    {"lkl_netdev_tap_create_mq", [] { return refused(lkl_netdev_tap_create_mq(nullptr, 0, 1)); }},
    {"lkl_netdev_tap_init", [] { return refused(lkl_netdev_tap_init(nullptr, 0, nullptr)); }},
    {"lkl_netdev_macvtap_create", [] { return refused(lkl_netdev_macvtap_create(nullptr, 0)); }},
    {"lkl_netdev_raw_create", [] { return refused(lkl_netdev_raw_create(nullptr)); }},
    {"lkl_netdev_pipe_create", [] { return refused(lkl_netdev_pipe_create(nullptr, 0)); }},
    {"lkl_netdev_vde_create", [] { return refused(lkl_netdev_vde_create(nullptr)); }},
    {"lkl_netdev_pcap_create", [] { return refused(lkl_netdev_pcap_create(nullptr, text)); }},

    {"lkl_load_config_json", [] { return lkl_load_config_json(nullptr, "{}"); }},
    {"lkl_load_config_json", [] { return lkl_load_config_json(&config, nullptr); }},
    {"lkl_load_config_env", [] { return lkl_load_config_env(nullptr); }},
    {"lkl_load_config_pre", [] { return lkl_load_config_pre(nullptr); }},
    {"lkl_load_config_post", [] { return lkl_load_config_post(nullptr); }},
    {"lkl_unload_config", [] { return lkl_unload_config(nullptr); }},
    {"lkl_show_config",
     [] {
         lkl_show_config(nullptr);
         return -LKL_EINVAL;
     }},
};

TEST(CapiNull, IsAnErrorThatNamesTheFunction)
{
    ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    for (const Case& one : cases) {
        SCOPED_TRACE(one.function);
        (void)guarded("something else", {nullptr}, [] { return 0; });
        EXPECT_EQ(one.call(), -LKL_EINVAL);
        EXPECT_EQ(std::string(lkl_error_message()).find(one.function), 0u) << lkl_error_message();
    }
    lkl_cleanup();
}

// Null is one of their values, or nothing comes of it.
TEST(CapiNull, IsAllowedHere)
{
    ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    EXPECT_EQ(lkl_set_log(nullptr), 0);
    lkl_cleanup();
    EXPECT_EQ(lkl_syscall(__lkl__NR_getpid, nullptr), -LKL_EFAULT);
    EXPECT_EQ(lkl_disk_remove({}), -LKL_EINVAL);
    EXPECT_EQ(lkl_get_free_irq(nullptr), -LKL_ENOSYS);
    lkl_put_irq(0, nullptr);
    lkl_netdev_free(nullptr);
    lkl_blk_complete(nullptr, 0);
    EXPECT_EQ(lkl_netdev_dpdk_create(nullptr, 0, nullptr), nullptr);
    testing::internal::CaptureStderr();
    lkl_print_to_stderr(nullptr, 3);
    lkl_perror(nullptr, -LKL_ENOENT);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "No such file or directory\n");
    // A device that is to be captured ends with the attempt.
    static int freed;
    lkl_dev_net_ops ops{};
    ops.free = [](lkl_netdev*) { ++freed; };
    lkl_netdev own{};
    own.ops = &ops;
    EXPECT_EQ(lkl_netdev_pcap_create(&own, nullptr), nullptr);
    EXPECT_EQ(freed, 1);
    EXPECT_EQ(lkl_netdev_tap_init("/nonexistent", 0, nullptr), nullptr);
}

TEST(CapiNullDeathTest, AnEndWithoutWords)
{
    const char* const format = nullptr;
    EXPECT_EXIT(lkl_bug(format), testing::KilledBySignal(SIGABRT), "");
}

// The functions of the headers that take a pointer, but for system calls, are all above.
TEST(CapiNull, IsTriedOfAllFunctions)
{
    const char* const source = std::getenv("LKL_SOURCE");
    if (!source)
        GTEST_SKIP() << "LKL_SOURCE is not set";
    std::set<std::string> tried = {// Of the other tests here.
                                   "lkl_set_log", "lkl_syscall", "lkl_netdev_free",
                                   "lkl_blk_complete", "lkl_netdev_dpdk_create",
                                   "lkl_print_to_stderr", "lkl_perror", "lkl_bug",
                                   "lkl_get_free_irq", "lkl_put_irq",
                                   // Null is the default there, and tests of these devices give it.
                                   "lkl_netdev_slirp_create", "lkl_netdev_passt_create"};
    for (const Case& one : cases)
        tried.insert(one.function);
    std::set<std::string> declared;
    for (const char* const name :
         {"lkl.h", "lkl_host.h", "lkl_config.h", "lkl/netdev.h", "lkl/interfaces.h"}) {
        std::ifstream file(std::string(source) + "/include/" + name);
        ASSERT_TRUE(file) << name;
        std::stringstream all;
        all << file.rdbuf();
        const std::string header = all.str();
        const std::regex declaration(R"(LKL_API\s[^;(]*?(lkl_\w+)\(([^;]*)\))");
        for (std::sregex_iterator found(header.begin(), header.end(), declaration), end;
             found != end; ++found) {
            const std::string function = (*found)[1];
            if ((*found)[2].str().find('*') != std::string::npos &&
                !function.starts_with("lkl_sys_"))
                declared.insert(function);
        }
    }
    EXPECT_GT(declared.size(), 40u);
    for (const std::string& function : declared)
        EXPECT_TRUE(tried.contains(function)) << function;
}

TEST(CapiExceptions, AreErrorNumbers)
{
    EXPECT_EQ(guarded("f", {}, []() -> int { throw std::bad_alloc(); }), -LKL_ENOMEM);
    EXPECT_STREQ(lkl_error_message(), "f: no memory");
    EXPECT_EQ(guarded("f", {}, []() -> long { throw std::logic_error("no"); }), -LKL_EINVAL);
    EXPECT_STREQ(lkl_error_message(), "f: no");
    EXPECT_EQ(guarded("f", {},
                      []() -> int {
                          throw std::system_error(std::make_error_code(std::errc::file_exists));
                      }),
              -LKL_EEXIST);
    EXPECT_EQ(guarded("f", {}, []() -> int { throw 7; }), -LKL_EIO);
    EXPECT_EQ(guarded("f", {}, []() -> char* { throw std::bad_alloc(); }), nullptr);
    guarded("f", {}, [] { throw std::bad_alloc(); });
    EXPECT_EQ(guarded("f", {&number}, [] { return 5; }), 5);
}

}  // namespace
