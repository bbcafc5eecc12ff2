// SPDX-License-Identifier: GPL-2.0-only
// Clients of network file systems in our kernel: what they do is compared with what the host's
// kernel does, and with what it sees of it in the server's directory.
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>

#include "common/network_filesystem.hpp"

namespace lkl::test {
namespace {

using NetworkFilesystems = NetworkFilesystem;

TEST_P(NetworkFilesystems, TheHostSeesWhatWeWrite)
{
    const TreeTraits& traits = GetParam().traits;
    const Directory reference;
    const std::string same = reference.path("tree");
    ASSERT_EQ(host_files.mkdir(same), 0);
    const auto expected = make_tree(host_files, same, traits);
    ASSERT_EQ(mount(), 0);
    ASSERT_EQ(our_files.mkdir(at_ours("tree")), 0);
    EXPECT_TRUE(same_lines(expected, make_tree(our_files, at_ours("tree"), traits)));

    TreeTraits whole = traits;
    whole.contents = true;
    const auto tree = describe_tree(host_files, same, whole);
    EXPECT_GT(tree.size(), 290u);
    EXPECT_TRUE(same_lines(tree, describe_tree(host_files, at_host("tree"), whole)));
    EXPECT_TRUE(same_lines(describe_tree(host_files, same, traits),
                           describe_tree(our_files, at_ours("tree"), traits)));
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

TEST_P(NetworkFilesystems, WeSeeWhatTheHostWrites)
{
    const TreeTraits& traits = GetParam().traits;
    ASSERT_EQ(mount(), 0);
    ASSERT_EQ(unmount(), 0);
    ASSERT_EQ(host_files.mkdir(at_host("tree")), 0);
    make_tree(host_files, at_host("tree"), traits);
    ASSERT_EQ(mount(), 0);
    EXPECT_TRUE(same_lines(describe_tree(host_files, at_host("tree"), traits),
                           describe_tree(our_files, at_ours("tree"), traits)));
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

INSTANTIATE_TEST_SUITE_P(, NetworkFilesystems, testing::ValuesIn(all_protocols()),
                         name_of_protocol);

using NetworkFilesystemClients = NetworkFilesystem;

TEST_P(NetworkFilesystemClients, ThreadsWorkAtOnce)
{
    ASSERT_EQ(mount(), 0);
    expect_threads_to_write(our_files, at_ours(""), host_files, at_host(""));
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

// Of /proc/net/sockstat.
long tcp_sockets(Calls& calls)
{
    const std::string text = calls.read_file("/proc/net/sockstat");
    const size_t at = text.find("TCP: inuse ");
    return at == std::string::npos ? -1 : std::strtol(text.c_str() + at + 11, nullptr, 10);
}

TEST_P(NetworkFilesystemClients, AreMountedAgainAndAgain)
{
    calls.mount_at("proc", "/proc");
    ASSERT_EQ(host_files.write_file(at_host("file"), "data"), 0);
    for (int round = 0; round < 10; ++round) {
        SCOPED_TRACE(round);
        ASSERT_EQ(mount(), 0);
        EXPECT_GT(tcp_sockets(calls), 0);
        std::string data;
        EXPECT_EQ(our_files.read_file(at_ours("file"), data), 0);
        EXPECT_EQ(data, "data");
        const long fd = our_files.open(at_ours("file"), O_RDONLY);
        ASSERT_GE(fd, 0);
        EXPECT_EQ(unmount(), -EBUSY);
        EXPECT_EQ(our_files.close(fd), 0);
        ASSERT_EQ(unmount(), 0);
        EXPECT_EQ(unmount(), -EINVAL);
        EXPECT_EQ(our_files.read_file(at_ours("file"), data), -ENOENT);
    }
    long left = -1;
    for (int i = 0; i < 1000 && left != 0; ++i) {
        left = tcp_sockets(calls);
        std::this_thread::sleep_for(20ms);
    }
    EXPECT_EQ(left, 0);
    EXPECT_TRUE(kernel.halt());
}

INSTANTIATE_TEST_SUITE_P(
    , NetworkFilesystemClients,
    testing::ValuesIn(protocols({"p9_mmap", "smb3", "nfs3", "nfs40", "nfs41"})), name_of_protocol);

using NetworkFilesystemLocks = NetworkFilesystem;

// Others tell locks to a server that keeps them for itself, or to none.
TEST_P(NetworkFilesystemLocks, AreTheHostsToo)
{
    ASSERT_EQ(mount(), 0);
    ASSERT_EQ(our_files.write_file(at_ours("file"), "data"), 0);
    const long fd = our_files.open(at_ours("file"), O_RDWR);
    ASSERT_GE(fd, 0);
    const long host_fd = host_files.open(at_host("file"), O_RDWR);
    ASSERT_GE(host_fd, 0);
    const auto lock = [](short type) {
        struct flock lock {};
        lock.l_type = type;
        lock.l_start = 10;
        lock.l_len = 20;
        return lock;
    };
    const auto set_ours = [&](short type) {
        const struct flock wanted = lock(type);
        return kernel.syscall(__lkl__NR_fcntl, fd, F_SETLK, &wanted);
    };
    const auto seen_by_host = [&] {
        struct flock found = lock(F_WRLCK);
        found.l_start = 0;
        found.l_len = 0;
        EXPECT_EQ(::fcntl(static_cast<int>(host_fd), F_OFD_GETLK, &found), 0);
        return found;
    };
    ASSERT_EQ(set_ours(F_WRLCK), 0);
    EXPECT_EQ(seen_by_host().l_type, F_WRLCK);
    EXPECT_EQ(seen_by_host().l_start, 10);
    EXPECT_EQ(seen_by_host().l_len, 20);
    ASSERT_EQ(set_ours(F_UNLCK), 0);
    EXPECT_EQ(seen_by_host().l_type, F_UNLCK);

    struct flock theirs = lock(F_WRLCK);
    ASSERT_EQ(::fcntl(static_cast<int>(host_fd), F_OFD_SETLK, &theirs), 0);
    // -EAGAIN; but with version 4.1, Linux has too little room for what Ganesha calls an owner
    // that it does not know (lock_owner_id_maxsz), and -EIO.
    EXPECT_LT(set_ours(F_WRLCK), 0);
    theirs.l_type = F_UNLCK;
    ASSERT_EQ(::fcntl(static_cast<int>(host_fd), F_OFD_SETLK, &theirs), 0);
    EXPECT_EQ(set_ours(F_WRLCK), 0);
    EXPECT_EQ(our_files.close(fd), 0);
    EXPECT_EQ(host_files.close(host_fd), 0);
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

INSTANTIATE_TEST_SUITE_P(, NetworkFilesystemLocks, testing::ValuesIn(protocols({"nfs40", "nfs41"})),
                         name_of_protocol);

}  // namespace
}  // namespace lkl::test
