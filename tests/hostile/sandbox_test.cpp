// SPDX-License-Identifier: GPL-2.0-only
// What a process can still do when it has shut itself in as the tools do: each case is
// tried in a child, as root and as an ordinary user, first without the sandbox, so that
// it is known that it is the sandbox that holds it back.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <liburing.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <hostile/attempt.hpp>
#include <support/process.hpp>

#include "common/sandbox/sandbox.hpp"

namespace {

using lkl::test::killed;
using lkl::test::outcome;
using tools::SandboxRules;

constexpr uid_t nobody = 65534;

// The result of a system call.
int result_of(long value)
{
    return value < 0 ? errno : 0;
}

int open_result(const std::string& path, int flags)
{
    return result_of(open(path.c_str(), flags | O_CLOEXEC, 0600));
}

class Sandbox : public testing::TestWithParam<uid_t> {
protected:
    void SetUp() override
    {
        if (geteuid() != 0)
            GTEST_SKIP() << "needs root, to be an ordinary user as well";
        std::string name = "/tmp/lkl-sandbox-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        directory_ = name;
        for (const char* part : {"in", "out"}) {
            ASSERT_TRUE(std::filesystem::create_directory(directory_ / part));
            std::ofstream(directory_ / part / "file") << "text";
        }
        for (const char* part : {"", "in", "in/file", "out", "out/file"})
            ASSERT_EQ(chown((directory_ / part).c_str(), GetParam(), GetParam()), 0);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string in(const char* name = "") const { return directory_ / "in" / name; }
    std::string out(const char* name = "") const { return directory_ / "out" / name; }

    int outside(const std::function<int()>& attempt) const
    {
        return outcome(GetParam(), nullptr, attempt);
    }
    int inside(const std::function<int()>& attempt, const SandboxRules& rules = {}) const
    {
        return outcome(GetParam(), &rules, attempt);
    }
    // A copying tool's: it has access to files, so that it is not for want of any that
    // something fails.
    SandboxRules copier() const
    {
        SandboxRules rules;
        rules.read.push_back(in());
        rules.write.push_back(out());
        return rules;
    }

    std::filesystem::path directory_;
};

INSTANTIATE_TEST_SUITE_P(As, Sandbox, testing::Values(uid_t{0}, nobody),
                         [](const auto& info) { return info.param == 0 ? "Root" : "User"; });

// A sanitizer's build has all but the filter.
class CallsInSandbox : public Sandbox {
protected:
    void SetUp() override
    {
        if (lkl::test::sanitized())
            GTEST_SKIP() << "a sanitizer's build has no filter";
        Sandbox::SetUp();
    }
};

INSTANTIATE_TEST_SUITE_P(As, CallsInSandbox, testing::Values(uid_t{0}, nobody),
                         [](const auto& info) { return info.param == 0 ? "Root" : "User"; });

TEST_P(CallsInSandbox, OtherFilesCannotBeOpened)
{
    const auto attempt = [] { return open_result("/etc/passwd", O_RDONLY); };
    EXPECT_EQ(outside(attempt), 0);
    EXPECT_EQ(inside(attempt), EPERM);             // the filter
    EXPECT_EQ(inside(attempt, copier()), EACCES);  // Landlock
}

TEST_P(Sandbox, SourcesAreReadAndNotWritten)
{
    const auto write = [this] { return open_result(in("file"), O_WRONLY); };
    EXPECT_EQ(outside(write), 0);
    EXPECT_EQ(inside(write, copier()), EACCES);
    EXPECT_EQ(inside([this] { return open_result(in("file"), O_RDONLY); }, copier()), 0);
    EXPECT_EQ(
        inside([this] { return result_of(unlinkat(AT_FDCWD, in("file").c_str(), 0)); }, copier()),
        EACCES);
}

// The filter does that where the host has no Landlock.
TEST_P(CallsInSandbox, ReadersOpenNothingForWriting)
{
    SandboxRules rules;
    rules.read.push_back(in());
    EXPECT_EQ(inside([this] { return open_result(in("file"), O_RDONLY); }, rules), 0);
    for (const int flags : {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_WRONLY | O_CREAT | O_TRUNC})
        EXPECT_EQ(inside([this, flags] { return open_result(in("file"), flags); }, rules), killed);
}

TEST_P(Sandbox, TheDestinationIsWritten)
{
    const auto attempt = [this] {
        const int directory = open(out().c_str(), O_RDONLY | O_DIRECTORY);
        if (mkdirat(directory, "a", 0755) != 0 || mkdirat(directory, "b", 0755) != 0 ||
            openat(directory, "a/file", O_WRONLY | O_CREAT | O_TRUNC, 0600) < 0 ||
            linkat(directory, "a/file", directory, "b/link", 0) != 0 ||
            symlinkat("/etc/passwd", directory, "symlink") != 0 ||
            fchmodat(directory, "a/file", 0644, AT_SYMLINK_NOFOLLOW) != 0)
            return errno;
        // Through the link it is another's file again.
        return openat(directory, "symlink", O_RDONLY) < 0 && errno == EACCES ? 0 : 253;
    };
    EXPECT_EQ(inside(attempt, copier()), 0);
}

TEST_P(Sandbox, RootKeepsWhatCopiesNeed)
{
    if (GetParam() != 0)
        GTEST_SKIP() << "root's";
    const auto attempt = [this] {
        const int directory = open(out().c_str(), O_RDONLY | O_DIRECTORY);
        if (fchownat(directory, "file", 1234, 1234, AT_SYMLINK_NOFOLLOW) != 0 ||
            fchmodat(directory, "file", 06755, AT_SYMLINK_NOFOLLOW) != 0)
            return errno;
        const int file = openat(directory, "file", O_RDONLY);
        return result_of(fsetxattr(file, "trusted.note", "x", 1, 0));
    };
    EXPECT_EQ(inside(attempt, copier()), 0);
}

// Nodes of devices that the host has, below a destination.
class DevicesInSandbox : public Sandbox {
protected:
    void SetUp() override
    {
        Sandbox::SetUp();
        if (IsSkipped())
            return;
        if (outside([] { return result_of(unshare(CLONE_NEWNS)); }) != 0)
            GTEST_SKIP() << "no mount namespace can be had";
        ASSERT_EQ(mknod(in("null").c_str(), S_IFCHR | 0600, null_device), 0);
        if (outside([this] { return open_node(AT_FDCWD, in("null")); }) != 0)
            GTEST_SKIP() << directory_ << " is on a mount without devices";
    }

    static int open_node(int directory, const std::string& path)
    {
        return result_of(openat(directory, path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    }
    int make_node(const char* name, mode_t type, dev_t device) const
    {
        return result_of(mknodat(AT_FDCWD, out(name).c_str(), type | 0600, device));
    }
    int make_null() const { return make_node("null", S_IFCHR, null_device); }

    static constexpr dev_t null_device = 0x103;
    static constexpr dev_t loop_device = 0x700;
};

INSTANTIATE_TEST_SUITE_P(As, DevicesInSandbox, testing::Values(uid_t{0}),
                         [](const auto&) { return "Root"; });

TEST_P(DevicesInSandbox, TheyAreMadeAndNotOpened)
{
    for (const mode_t type : {S_IFCHR, S_IFBLK}) {
        const dev_t device = type == S_IFCHR ? null_device : loop_device;
        EXPECT_EQ(inside([&] { return make_node("node", type, device); }, copier()), 0);
        struct stat status;
        ASSERT_EQ(lstat(out("node").c_str(), &status), 0);
        EXPECT_EQ(status.st_mode, type | 0600);
        EXPECT_EQ(status.st_rdev, device);
        // The host may have no such block device.
        EXPECT_NE(outside([this] { return open_node(AT_FDCWD, out("node")); }), EACCES);
        EXPECT_EQ(inside([this] { return open_node(AT_FDCWD, out("node")); }, copier()), EACCES);
        EXPECT_EQ(inside(
                      [&] {
                          const int error = make_node("new", type, device);
                          return error != 0 ? error : open_node(AT_FDCWD, out("new"));
                      },
                      copier()),
                  EACCES);
        ASSERT_EQ(unlink(out("node").c_str()), 0);
        ASSERT_EQ(unlink(out("new").c_str()), 0);
    }
}

TEST_P(DevicesInSandbox, NoneOfASourceIsOpened)
{
    SandboxRules rules;
    rules.read.push_back(in());
    EXPECT_EQ(inside([this] { return open_node(AT_FDCWD, in("null")); }, rules), EACCES);
    EXPECT_EQ(inside([this] { return open_node(AT_FDCWD, in("file")); }, rules), 0);
}

// What was open before leads to the mounts that all see.
TEST_P(DevicesInSandbox, OpenDirectoriesLeadToNone)
{
    ASSERT_EQ(make_null(), 0);
    const int directory = open(out().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int top = open("/", O_PATH | O_CLOEXEC);
    const std::string from_top = out("null").substr(1);
    const std::string by_number = "/proc/self/fd/" + std::to_string(directory) + "/null";
    const auto in_working_directory = [this](const char* path) {
        return [this, path] {
            if (chdir(out().c_str()) != 0)
                return 253;
            tools::enter_sandbox(copier());
            return open_node(AT_FDCWD, path);
        };
    };
    EXPECT_EQ(outside([&] { return open_node(directory, "null"); }), 0);
    EXPECT_EQ(outside([&] { return open_node(top, from_top); }), 0);
    EXPECT_EQ(inside([&] { return open_node(directory, "null"); }, copier()), EACCES);
    EXPECT_EQ(inside([&] { return open_node(directory, "../out/null"); }, copier()), EACCES);
    EXPECT_EQ(inside([&] { return open_node(top, from_top); }, copier()), EACCES);
    EXPECT_EQ(inside([&] { return open_node(AT_FDCWD, by_number); }, copier()), EACCES);
    for (const char* path : {"null", "../out/null", "/proc/self/cwd/null"})
        EXPECT_EQ(outside(in_working_directory(path)), EACCES) << path;
    EXPECT_EQ(inside([&] { return open_node(AT_FDCWD, "/proc/self/root/" + from_top); }, copier()),
              EACCES);
    // They are the same ones for all else.
    EXPECT_EQ(inside([&] { return open_node(directory, "file"); }, copier()), 0);
    close(top);
    close(directory);
}

TEST_P(DevicesInSandbox, NoneIsMadeWhereTheyCouldBeOpened)
{
    const auto without_admin = [this] {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
        if (syscall(SYS_capget, &header, sets.data()) != 0)
            return 253;
        sets[0].effective = sets[0].permitted &= ~(1U << CAP_SYS_ADMIN);
        if (syscall(SYS_capset, &header, sets.data()) != 0)
            return 253;
        tools::enter_sandbox(copier());
        return make_null();
    };
    EXPECT_EQ(outside(without_admin), EPERM);
    // A directory that has no path is not found in a namespace.
    ASSERT_EQ(mkdir(out("gone").c_str(), 0700), 0);
    const int gone = open(out("gone").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_EQ(rmdir(out("gone").c_str()), 0);
    EXPECT_EQ(inside([this] { return make_null(); }, copier()), EPERM);
    close(gone);
    EXPECT_EQ(inside([this] { return make_null(); }, copier()), 0);
}

TEST_P(Sandbox, NamesAreChangedWhereAllowed)
{
    SandboxRules rules;
    rules.rename.push_back(out());
    EXPECT_EQ(inside([this] { return result_of(rename(out("file").c_str(), out("new").c_str())); },
                     rules),
              0);
    EXPECT_EQ(
        inside([this] { return result_of(rename(out("new").c_str(), in("new").c_str())); }, rules),
        EACCES);
    EXPECT_EQ(inside([this] { return result_of(unlink(in("file").c_str())); }, rules), EACCES);
}

TEST_P(CallsInSandbox, SocketsKill)
{
    for (const int family : {AF_INET, AF_UNIX, AF_NETLINK, AF_PACKET}) {
        const auto attempt = [family] { return result_of(socket(family, SOCK_DGRAM, 0)); };
        EXPECT_EQ(inside(attempt), killed);
        EXPECT_EQ(inside(attempt, copier()), killed);
    }
    EXPECT_EQ(outside([] { return result_of(socket(AF_INET, SOCK_DGRAM, 0)); }), 0);
}

TEST_P(Sandbox, RootHasAnEmptyNetwork)
{
    if (GetParam() != 0)
        GTEST_SKIP() << "where unshare() is not allowed the filter has to do";
    struct stat own;
    ASSERT_EQ(stat("/proc/self/ns/net", &own), 0);
    EXPECT_EQ(inside([&own] {
                  struct stat now;
                  return stat("/proc/self/ns/net", &now) == 0 && now.st_ino != own.st_ino ? 0 : 1;
              }),
              0);
}

TEST_P(CallsInSandbox, ProgramsDoNotStart)
{
    const auto execute = [] {
        std::array<char*, 2> arguments{const_cast<char*>("true"), nullptr};
        execv("/bin/true", arguments.data());
        return errno;
    };
    EXPECT_EQ(outside(execute), 0);
    EXPECT_EQ(inside(execute, copier()), killed);
    EXPECT_EQ(inside([] { return result_of(fork()); }, copier()), EPERM);
    EXPECT_EQ(inside([] { return result_of(syscall(SYS_vfork)); }, copier()), EPERM);
}

TEST_P(Sandbox, ThreadsDo)
{
    EXPECT_EQ(inside([] {
                  int value = 1;
                  std::thread([&value] { value = 0; }).join();
                  return value;
              }),
              0);
}

TEST_P(CallsInSandbox, LaterThreadsAreShutInAsWell)
{
    EXPECT_EQ(
        inside(
            [] {
                int value = 0;
                std::thread([&value] { value = open_result("/etc/passwd", O_RDONLY); }).join();
                return value;
            },
            copier()),
        EACCES);
    EXPECT_EQ(inside([] {
                  std::thread([] { (void)socket(AF_INET, SOCK_STREAM, 0); }).join();
                  return 0;
              }),
              killed);
}

TEST_P(CallsInSandbox, OtherProcessesAreOutOfReach)
{
    const pid_t parent = getpid();
    const auto trace = [parent] { return result_of(ptrace(PTRACE_SEIZE, parent, nullptr, 0)); };
    const auto signal = [parent] { return result_of(kill(parent, 0)); };
    const auto thread_signal = [parent] {
        return result_of(syscall(SYS_tgkill, parent, parent, 0));
    };
    if (GetParam() == 0) {
        EXPECT_EQ(outside(signal), 0);
        EXPECT_EQ(outside(thread_signal), 0);
    }
    EXPECT_EQ(inside(trace, copier()), killed);
    EXPECT_EQ(inside(signal, copier()), killed);
    EXPECT_EQ(inside(thread_signal, copier()), EPERM);
}

TEST_P(CallsInSandbox, TheKernelsOtherDoorsAreShut)
{
    for (const long call : {SYS_mount,       SYS_umount2,
                            SYS_pivot_root,  SYS_move_mount,
                            SYS_open_tree,   SYS_fsopen,
                            SYS_fsmount,     SYS_mount_setattr,
                            SYS_unshare,     SYS_setns,
                            SYS_bpf,         SYS_perf_event_open,
                            SYS_keyctl,      SYS_chroot,
                            SYS_init_module, SYS_process_vm_writev,
                            SYS_userfaultfd, SYS_open_by_handle_at,
                            SYS_personality, SYS_setuid,
                            SYS_capset,      SYS_quotactl,
                            SYS_swapon,      SYS_iopl,
                            SYS_openat2})
        EXPECT_EQ(inside([call] { return result_of(syscall(call, 0, 0, 0, 0, 0)); }, copier()),
                  killed)
            << call;
}

// docs/security.md has the table: an error for what libraries try, death for the rest.
TEST_P(CallsInSandbox, WhatLibrariesTryIsRefusedAndTheRestKills)
{
    const auto call = [](long number, long a = 0, long b = 0, long c = 0, long d = 0) {
        return [=] { return result_of(syscall(number, a, b, c, d, 0)); };
    };
    const auto path = reinterpret_cast<long>("/etc/passwd");
    const pid_t parent = getpid();
    SandboxRules archive, fuse;
    archive.read_archive = true;
    fuse.serve_fuse = true;
    for (const SandboxRules& rules : {SandboxRules(), copier(), archive, fuse}) {
        EXPECT_EQ(inside(call(SYS_open, path, O_RDONLY), rules), killed);
        EXPECT_EQ(inside(call(SYS_creat, path, 0600), rules), killed);
        EXPECT_EQ(inside(call(SYS_execve, path), rules), killed);
        EXPECT_EQ(inside(call(SYS_execveat, AT_FDCWD, path), rules), killed);
        EXPECT_EQ(inside(call(SYS_kill, parent, 0), rules), killed);
        EXPECT_EQ(inside(call(SYS_ptrace, PTRACE_SEIZE, parent), rules), killed);
        for (const long moves : {SYS_splice, SYS_vmsplice, SYS_tee})
            EXPECT_EQ(inside(call(moves), rules), killed);
        EXPECT_EQ(inside(call(SYS_fork), rules), EPERM);
        EXPECT_EQ(inside(call(SYS_clone, SIGCHLD), rules), EPERM);
        EXPECT_EQ(inside(call(SYS_clone3), rules), ENOSYS);
        EXPECT_EQ(inside(call(SYS_io_uring_setup, 1), rules), EPERM);
        EXPECT_EQ(inside(call(SYS_io_uring_register, 0), rules), EPERM);
        EXPECT_EQ(inside(call(SYS_seccomp), rules), EPERM);
        EXPECT_EQ(inside(call(SYS_tgkill, parent, parent, 0), rules), EPERM);
        const rlimit limit{0, 0};
        EXPECT_EQ(
            inside(call(SYS_prlimit64, 0, RLIMIT_CORE, reinterpret_cast<long>(&limit)), rules),
            EPERM);
    }
    EXPECT_EQ(inside(call(SYS_openat, AT_FDCWD, path, O_RDONLY)), EPERM);
    EXPECT_EQ(inside(call(SYS_openat, AT_FDCWD, path, O_WRONLY)), killed);
    EXPECT_EQ(inside(call(SYS_openat, AT_FDCWD, path, O_WRONLY), archive), killed);
    EXPECT_EQ(inside(call(SYS_openat, AT_FDCWD, path, O_WRONLY), fuse), EPERM);
    const auto socket_call = call(SYS_socket, AF_UNIX, SOCK_STREAM);
    EXPECT_EQ(inside(socket_call), killed);
    EXPECT_EQ(inside(socket_call, copier()), killed);
    EXPECT_EQ(inside(socket_call, archive), EPERM);
    EXPECT_EQ(inside(socket_call, fuse), EPERM);
}

TEST_P(CallsInSandbox, CallsOf32BitProgramsKill)
{
    const auto attempt = [] {
        long result = 20;  // getpid() of i386
        asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
        return result > 0 ? 0 : 1;
    };
    if (outside(attempt) != 0)
        GTEST_SKIP() << "the host has no such calls";
    EXPECT_EQ(inside(attempt), killed);
}

TEST_P(CallsInSandbox, ArgumentsCount)
{
    char letter = 'x';
    EXPECT_EQ(inside([] { return result_of(fcntl(0, F_SETPIPE_SZ, 4096)); }), EPERM);
    EXPECT_EQ(inside([&letter] { return result_of(ioctl(0, TIOCSTI, &letter)); }), EPERM);
    EXPECT_EQ(inside([] { return result_of(fcntl(0, F_SETOWN, 1)); }), EPERM);
    EXPECT_EQ(inside([] { return result_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }), EPERM);
    EXPECT_EQ(inside([] { return fcntl(0, F_GETFL) >= 0 ? 0 : errno; }), 0);
    EXPECT_EQ(inside([] { return raise(SIGUSR1); }), lkl::test::by_signal(SIGUSR1));
}

// io_uring has operations that no filter of system calls sees.
TEST_P(CallsInSandbox, NoRingIsMade)
{
    const auto attempt = [] {
        io_uring ring{};
        return -io_uring_queue_init(4, &ring, 0);
    };
    EXPECT_EQ(outside(attempt), 0);
    EXPECT_EQ(inside(attempt), EPERM);
    EXPECT_EQ(inside(attempt, copier()), EPERM);
}

TEST_P(CallsInSandbox, CapabilitiesAreGone)
{
    const auto effective = [](const SandboxRules& rules) {
        return [&rules] {
            // /proc cannot be opened any more, but files that are open are read.
            std::FILE* const file = std::fopen("/proc/self/status", "re");
            tools::enter_sandbox(rules);
            unsigned long long bits = 1;
            std::array<char, 256> line;
            while (std::fgets(line.data(), line.size(), file) != nullptr)
                std::sscanf(line.data(), "CapEff: %llx", &bits);
            const bool admin = (bits >> CAP_SYS_ADMIN & 1) != 0;
            return bits == 0 ? 10 : admin ? 11 : 12;
        };
    };
    const bool root = GetParam() == 0;
    EXPECT_EQ(outside(effective({})), 10);
    EXPECT_EQ(outside(effective(copier())), root ? 11 : 10);
    SandboxRules names;
    names.rename.push_back(out());
    EXPECT_EQ(outside(effective(names)), root ? 12 : 10);
    EXPECT_EQ(inside([] { return result_of(chown("/", 0, 0)); }), killed);
}

TEST_P(CallsInSandbox, UsersAreLookedUpInFiles)
{
    SandboxRules rules;
    rules.read_archive = true;
    EXPECT_EQ(inside([] { return getpwnam("daemon") != nullptr ? 0 : 1; }, rules), 0);
    EXPECT_EQ(inside([] { return getgrnam("daemon") != nullptr ? 0 : 1; }, rules), 0);
    EXPECT_EQ(inside([] { return getpwnam("no-such-user") == nullptr ? 0 : 1; }, rules), 0);
    EXPECT_EQ(inside([] { return open_result("/etc/fstab", O_RDONLY); }, rules), EACCES);
    EXPECT_EQ(inside([] { return result_of(socket(AF_INET, SOCK_STREAM, 0)); }, rules), EPERM);
}

TEST_P(Sandbox, SwitchedOffItHoldsNothingBack)
{
    SandboxRules rules;
    rules.off = true;
    EXPECT_EQ(inside([] { return open_result("/etc/passwd", O_RDONLY); }, rules), 0);
}

}  // namespace
