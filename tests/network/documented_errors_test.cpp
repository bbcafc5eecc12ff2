// SPDX-License-Identifier: GPL-2.0-only
// Errors that the headers name and that no test of the thing itself meets.
#include <lkl/dhcp.hpp>

#include "network/common/inner_network.hpp"

namespace lkl::test {
namespace {

class DocumentedErrors : public TwoHosts {};

TEST_F(DocumentedErrors, OfNetworkNamespaces)
{
    EXPECT_EQ(code_of(NetworkNamespace::of_socket(kernel, 999)), LKL_EBADF);
    Calls calls(kernel);
    const long directory = calls.open("/", LKL_O_RDONLY | LKL_O_DIRECTORY);
    EXPECT_EQ(code_of(NetworkNamespace::of_socket(kernel, static_cast<int>(directory))),
              LKL_ENOTTY);
    EXPECT_EQ(calls.close(directory), 0);

    NetworkNamespace from = must(NetworkNamespace::current(kernel));
    const NetworkNamespace to = std::move(from);
    EXPECT_EQ(code_of(from.enter()), LKL_EBADF);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(code_of(to.enter()), 0);

    calls.mount_at("proc", "/proc");
    EXPECT_GT(calls.write_file("/proc/sys/user/max_net_namespaces", "0"), -1);
    EXPECT_EQ(code_of(NetworkNamespace::create(kernel)), LKL_ENOSPC);
}

TEST_F(DocumentedErrors, OfNamespacesOfOthersAreEperm)
{
    // This thread alone becomes another user.
    ASSERT_EQ(kernel.syscall(__lkl__NR_setuid, 1000), 0);
    EXPECT_EQ(code_of(NetworkNamespace::current(kernel)), LKL_EPERM);
    EXPECT_EQ(code_of(NetworkNamespace::create(kernel)), LKL_EPERM);
    EXPECT_EQ(code_of(far_space.enter()), LKL_EPERM);
}

TEST_F(DocumentedErrors, OfLeases)
{
    DhcpLease lease;
    lease.address = prefix("10.0.0.50/24");
    lease.server = ip("10.0.0.2");
    lease.seconds = 60;
    must(net.add_address(near, prefix("10.0.1.1/24")));
    EXPECT_EQ(code_of(dhcp_release(kernel, near, lease)), LKL_EADDRNOTAVAIL);
    EXPECT_EQ(code_of(dhcp_release(kernel, 999, lease)), LKL_ENODEV);
    EXPECT_EQ(code_of(dhcp_release(kernel, 1, lease)), LKL_EINVAL);

    must(apply_lease(net, near, lease));
    EXPECT_EQ(code_of(dhcp_release(kernel, near, lease)), 0);
    EXPECT_EQ(code_of(apply_lease(net, 999, lease)), LKL_ENODEV);
    lease.mtu = 20;
    EXPECT_EQ(code_of(apply_lease(net, near, lease)), LKL_EINVAL);
    lease.mtu.reset();
    lease.routes = {{prefix("0.0.0.0/0"), ip("10.0.0.1")}};
    must(net.set_down(near));
    EXPECT_EQ(code_of(dhcp_release(kernel, near, lease)), LKL_ENETUNREACH);
    EXPECT_EQ(code_of(apply_lease(net, near, lease)), LKL_ENETUNREACH);
}

}  // namespace
}  // namespace lkl::test
