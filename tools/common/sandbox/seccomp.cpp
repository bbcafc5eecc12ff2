// SPDX-License-Identifier: GPL-2.0-only
// Two filters, of which the kernel heeds the stricter answer for each call:
//
//   outer   calls that are known                        else the process is killed
//   inner   those of them that are allowed, by their    else EPERM
//           arguments where these matter
#include "common/sandbox/seccomp.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fuse.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools {

namespace {

using Calls = std::initializer_list<int>;

constexpr Calls basic{
    // memory
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
    SCMP_SYS(madvise), SCMP_SYS(munlock), SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    // threads and their end
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(membarrier),
    SCMP_SYS(exit), SCMP_SYS(exit_group),
    // signals to oneself; faults of the kernel inside
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    // time and chance
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    // open descriptors: image, archive, messages
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(preadv2),
    SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(pwritev2),
    SCMP_SYS(lseek), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(syncfs),
    SCMP_SYS(sync_file_range), SCMP_SYS(fadvise64), SCMP_SYS(close), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(io_uring_enter),
    SCMP_SYS(fstatfs), SCMP_SYS(getdents64),
    // what Landlock does not hold back either
    SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(umask)};

constexpr Calls read_attribute_calls{SCMP_SYS(getxattr),   SCMP_SYS(lgetxattr),
                                     SCMP_SYS(fgetxattr),  SCMP_SYS(listxattr),
                                     SCMP_SYS(llistxattr), SCMP_SYS(flistxattr)};

constexpr Calls change_calls{
    SCMP_SYS(openat),       SCMP_SYS(mkdirat),      SCMP_SYS(mknodat),   SCMP_SYS(symlinkat),
    SCMP_SYS(linkat),       SCMP_SYS(unlinkat),     SCMP_SYS(fchown),    SCMP_SYS(fchownat),
    SCMP_SYS(fchmod),       SCMP_SYS(chmod),        SCMP_SYS(fchmodat),  SCMP_SYS(utimensat),
    SCMP_SYS(setxattr),     SCMP_SYS(lsetxattr),    SCMP_SYS(fsetxattr), SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr), SCMP_SYS(fremovexattr), SCMP_SYS(renameat),  SCMP_SYS(renameat2)};

constexpr Calls rename_calls{SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
                             SCMP_SYS(unlink), SCMP_SYS(unlinkat)};

// libfuse's threads, who wait for signals, and messages of the process that mounts.
constexpr Calls fuse_calls{
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(recvmsg), SCMP_SYS(dup), SCMP_SYS(dup2),
    SCMP_SYS(chdir),           SCMP_SYS(sync)};

// Tried by libraries, which go on without. Rings are made before; libarchive starts
// programs for rare compressions.
constexpr Calls refused{SCMP_SYS(io_uring_setup), SCMP_SYS(fork), SCMP_SYS(vfork)};
constexpr Calls refused_look_ups{SCMP_SYS(socket)};

// Not F_SETOWN and its like, which have signals sent to others.
constexpr std::initializer_list<scmp_datum_t> descriptor_commands{
    F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_OFD_GETLK, F_OFD_SETLK};

// Terminals tell their width, and block devices are used. Not TIOCSTI: it types.
constexpr std::initializer_list<scmp_datum_t> device_commands{
    TCGETS,   TIOCGWINSZ, BLKGETSIZE64, BLKSSZGET,  BLKPBSZGET,
    BLKIOMIN, BLKIOOPT,   BLKDISCARD,   BLKZEROOUT, BLKROGET};

[[noreturn]] void fail(int code)
{
    throw ToolError(ExitCode::internal, std::string("sandbox: filter of system calls: ") +
                                            std::strerror(-code) + " (--no-sandbox does without)");
}

void check(int code)
{
    if (code != 0)
        fail(code);
}

// Conditions of arguments: of an int, the lower half of the word alone.
scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value)
{
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}
scmp_arg_cmp is_int(unsigned argument, scmp_datum_t value)
{
    return masked(argument, 0xffffffff, value);
}
scmp_arg_cmp is_null(unsigned argument)
{
    return {argument, SCMP_CMP_EQ, 0, 0};
}

class Filter {
public:
    explicit Filter(uint32_t otherwise) : context_(seccomp_init(otherwise))
    {
        if (!context_)
            fail(-ENOMEM);
        check(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
        check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
        // A binary tree: a call takes the same time wherever it stands in the list.
        check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
    }

    void allow(Calls calls)
    {
        for (const int call : calls)
            add(SCMP_ACT_ALLOW, call);
    }
    template <typename... Conditions>
    void add(uint32_t action, int call, Conditions... conditions)
    {
        check(seccomp_rule_add(context_.get(), action, call, sizeof...(conditions), conditions...));
    }
    void load() { check(seccomp_load(context_.get())); }

private:
    struct Release {
        void operator()(void* context) const { seccomp_release(context); }
    };
    std::unique_ptr<void, Release> context_;
};

class Pair {
public:
    void allow(Calls calls)
    {
        outer.allow(calls);
        inner.allow(calls);
    }
    // With other arguments the call fails.
    template <typename... Conditions>
    void allow_if(int call, Conditions... conditions)
    {
        outer.add(SCMP_ACT_ALLOW, call);
        inner.add(SCMP_ACT_ALLOW, call, conditions...);
    }
    // With other arguments the call kills.
    template <typename... Conditions>
    void require(int call, Conditions... conditions)
    {
        outer.add(SCMP_ACT_ALLOW, call, conditions...);
        inner.add(SCMP_ACT_ALLOW, call);
    }
    void allow_commands(int call, std::initializer_list<scmp_datum_t> commands)
    {
        outer.add(SCMP_ACT_ALLOW, call);
        for (const scmp_datum_t command : commands)
            inner.add(SCMP_ACT_ALLOW, call, is_int(1, command));
    }
    void refuse(Calls calls) { outer.allow(calls); }

    Filter outer{SCMP_ACT_KILL_PROCESS};
    Filter inner{SCMP_ACT_ERRNO(EPERM)};
};

void add_basic(Pair& filters)
{
    filters.allow(basic);
    filters.allow_commands(SCMP_SYS(fcntl), descriptor_commands);
    filters.allow_commands(SCMP_SYS(ioctl), device_commands);
    filters.allow_commands(SCMP_SYS(io_uring_register), {IORING_UNREGISTER_FILES});
    // Threads, no processes. What clone3() is to do stands in memory, out of sight; the C
    // library falls back to clone().
    filters.allow_if(SCMP_SYS(clone), masked(0, CLONE_THREAD, CLONE_THREAD));
    filters.refuse({SCMP_SYS(clone3)});
    filters.inner.add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
    const auto self = static_cast<scmp_datum_t>(getpid());
    filters.allow_if(SCMP_SYS(tgkill), is_int(0, self));
    for (const int option : {PR_SET_NAME, PR_SET_TIMERSLACK})
        filters.allow_if(SCMP_SYS(prctl), is_int(0, static_cast<scmp_datum_t>(option)));
    // Limits are read, not set.
    filters.allow_if(SCMP_SYS(prlimit64), is_int(0, 0), is_null(2));
    filters.refuse(refused);
}

}  // namespace

void restrict_calls(const CallGroups& groups)
{
    Pair filters;
    add_basic(filters);
    const scmp_arg_cmp reading = masked(2, O_ACCMODE | O_CREAT | O_TRUNC, 0);
    if (groups.change_files)
        filters.allow(change_calls);
    else if (groups.open_devices)
        filters.allow({SCMP_SYS(openat)});
    else if (groups.serve_fuse)
        // libfuse opens /dev/null for both, lest a standard descriptor is closed.
        filters.allow_if(SCMP_SYS(openat), reading);
    else if (groups.open)
        filters.require(SCMP_SYS(openat), reading);
    else
        // glibc's malloc() would read /proc/sys/vm/overcommit_memory when the heap of a
        // thread shrinks, and does without.
        filters.outer.add(SCMP_ACT_ALLOW, SCMP_SYS(openat), reading);
    if (groups.read_attributes)
        filters.allow(read_attribute_calls);
    if (groups.rename)
        filters.allow(rename_calls);
    if (groups.read_archive || groups.serve_fuse)
        filters.refuse(refused_look_ups);
    if (groups.serve_fuse) {
        filters.allow(fuse_calls);
        // To the system log, which is connected; nobody else is named.
        filters.allow_if(SCMP_SYS(sendto), is_null(4));
    }
    if (groups.open_devices)
        filters.allow_commands(SCMP_SYS(ioctl), {FUSE_DEV_IOC_CLONE});
    // The outer one lets the inner one be loaded, and that no other.
    filters.refuse({SCMP_SYS(seccomp)});
    filters.outer.load();
    filters.inner.load();
}

}  // namespace tools
