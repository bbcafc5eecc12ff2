// SPDX-License-Identifier: GPL-2.0-only
#include "system_calls.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm-generic/unistd.h>
#include <lkl/linux/fcntl.h>

#include "input.hpp"

namespace lkl::fuzz {

namespace {

constexpr int most_calls = 64;
constexpr size_t most_descriptors = 16;

enum class Kind : uint8_t {
    none,         // 0
    descriptor,   // one that an earlier call has returned
    path,         // of a few names
    name,         // of an attribute or a file in memory
    buffer,       // 64 KiB to read from and write to, filled from the input
    length,       // of a buffer, at most what it holds
    pair,         // two descriptors come there
    small,        // 0 to 255
    flags,        // 16 bits
    word,         // 32 bits
    place,        // of a file: near a border
    at_cwd,       // AT_FDCWD
    no_wait,      // O_NONBLOCK, SOCK_NONBLOCK, MSG_DONTWAIT and the like, and other bits
    family,       // of a socket
    socket_type,  // and SOCK_NONBLOCK
};

struct Call {
    long number;
    std::array<Kind, 6> arguments;
    bool opens = false;    // returns a descriptor
    unsigned no_wait = 0;  // what Kind::no_wait always has
};

constexpr unsigned nonblock = LKL_O_NONBLOCK;
constexpr unsigned dontwait = 0x40;  // MSG_DONTWAIT

using enum Kind;
constexpr std::array calls{
    Call{__lkl__NR_openat, {at_cwd, path, no_wait, flags}, true, nonblock},
    Call{__lkl__NR_close, {descriptor}},
    Call{__lkl__NR_read, {descriptor, buffer, length}},
    Call{__lkl__NR_write, {descriptor, buffer, length}},
    Call{__lkl__NR_pread64, {descriptor, buffer, length, place}},
    Call{__lkl__NR_pwrite64, {descriptor, buffer, length, place}},
    Call{__lkl__NR_lseek, {descriptor, place, small}},
    Call{__lkl__NR_ftruncate, {descriptor, place}},
    Call{__lkl__NR_fallocate, {descriptor, small, place, place}},
    Call{__lkl__NR_copy_file_range, {descriptor, none, descriptor, none, word, none}},
    Call{__lkl__NR_splice, {descriptor, none, descriptor, none, flags, no_wait}, false, 2},
    Call{__lkl__NR_tee, {descriptor, descriptor, flags, no_wait}, false, 2},
    Call{__lkl__NR_sendfile, {descriptor, descriptor, none, flags}},
    Call{__lkl__NR_dup, {descriptor}, true},
    Call{__lkl__NR_dup3, {descriptor, small, none}, true},
    Call{__lkl__NR_fcntl, {descriptor, small, word}},
    Call{__lkl__NR_ioctl, {descriptor, word, buffer}},
    Call{__lkl__NR_pipe2, {pair, no_wait}, false, nonblock},
    Call{__lkl__NR_eventfd2, {small, no_wait}, true, nonblock},
    Call{__lkl__NR_memfd_create, {name, small}, true},
    Call{__lkl__NR_timerfd_create, {small, no_wait}, true, nonblock},
    Call{__lkl__NR_timerfd_settime, {descriptor, small, buffer, none}},
    Call{__lkl__NR_timerfd_gettime, {descriptor, buffer}},
    Call{__lkl__NR_signalfd4, {descriptor, buffer, small, no_wait}, true, nonblock},
    Call{__lkl__NR_epoll_create1, {none}, true},
    Call{__lkl__NR_epoll_ctl, {descriptor, small, descriptor, buffer}},
    Call{__lkl__NR_epoll_pwait, {descriptor, buffer, small, none}},
    Call{__lkl__NR_inotify_init1, {no_wait}, true, nonblock},
    Call{__lkl__NR_inotify_add_watch, {descriptor, path, word}},
    Call{__lkl__NR_inotify_rm_watch, {descriptor, small}},
    Call{__lkl__NR_mkdirat, {at_cwd, path, flags}},
    Call{__lkl__NR_mknodat, {at_cwd, path, flags, none}},
    Call{__lkl__NR_unlinkat, {at_cwd, path, flags}},
    Call{__lkl__NR_renameat2, {at_cwd, path, at_cwd, path, small}},
    Call{__lkl__NR_linkat, {at_cwd, path, at_cwd, path, flags}},
    Call{__lkl__NR_symlinkat, {path, at_cwd, path}},
    Call{__lkl__NR_readlinkat, {at_cwd, path, buffer, length}},
    Call{__lkl__NR_fchmod, {descriptor, flags}},
    Call{__lkl__NR_truncate, {path, place}},
    Call{__lkl__NR_getdents64, {descriptor, buffer, length}},
    Call{__lkl__NR_statx, {at_cwd, path, flags, word, buffer}},
    Call{__lkl__NR_setxattr, {path, name, buffer, flags, small}},
    Call{__lkl__NR_getxattr, {path, name, buffer, length}},
    Call{__lkl__NR_listxattr, {path, buffer, length}},
    Call{__lkl__NR_removexattr, {path, name}},
    Call{__lkl__NR_chdir, {path}},
    Call{__lkl__NR_socket, {family, socket_type, small}, true},
    Call{__lkl__NR_socketpair, {family, socket_type, none, pair}},
    Call{__lkl__NR_bind, {descriptor, buffer, small}},
    Call{__lkl__NR_listen, {descriptor, small}},
    Call{__lkl__NR_connect, {descriptor, buffer, small}},
    Call{__lkl__NR_accept4, {descriptor, none, none, no_wait}, true, nonblock},
    Call{__lkl__NR_sendto, {descriptor, buffer, flags, no_wait, buffer, small}, false, dontwait},
    Call{__lkl__NR_recvfrom, {descriptor, buffer, length, no_wait, none, none}, false, dontwait},
    Call{__lkl__NR_setsockopt, {descriptor, flags, small, buffer, small}},
    Call{__lkl__NR_shutdown, {descriptor, small}},
    Call{__lkl__NR_getsockname, {descriptor, buffer, buffer}},
};

constexpr std::array paths{"/a",
                           "/b",
                           "/d",
                           "/d/a",
                           "/d/b",
                           "/d/e",
                           "/tmp/a",
                           "/proc/self/stat",
                           "/proc/self/maps",
                           "/proc/sys/kernel/hostname",
                           "/sys/kernel",
                           "/proc/planted-bug",
                           "."};
constexpr std::array words{"user.a", "trusted.b", "security.capability", "system.posix_acl_access",
                           "x"};
constexpr std::array<uint64_t, 6> borders{0, 4096, 65536, 1 << 20, 1ull << 31, 1ull << 40};
// AF_UNIX, INET, INET6, NETLINK, PACKET, ALG, VSOCK.
constexpr std::array<long, 7> families{1, 2, 10, 16, 17, 38, 40};

// The descriptors that exist, and the two buffers.
class Sequence {
public:
    Sequence(Kernel& kernel, Input& input) : kernel_(kernel), input_(input) {}

    void run()
    {
        for (int i = 0; i < most_calls && !input_.empty(); ++i)
            make(input_.choice(calls));
    }

private:
    static constexpr size_t buffer_size = 64 << 10;

    void make(const Call& call)
    {
        std::array<long, 6> arguments{};
        next_buffer_ = 0;
        bool has_pair = false;
        for (size_t i = 0; i < arguments.size(); ++i) {
            arguments[i] = argument(call.arguments[i], call.no_wait);
            has_pair |= call.arguments[i] == pair;
        }
        const long result = kernel_.call(call.number, arguments.data());
        if (result < 0)
            return;
        if (call.opens)
            keep(result);
        if (has_pair) {
            keep(pair_[0]);
            keep(pair_[1]);
        }
    }

    // One that exists: of most calls with another the kernel says no more than EBADF.
    long descriptor_of(size_t choice) const
    {
        return count_ == 0 ? -1 : descriptors_[choice % std::min(count_, most_descriptors)];
    }

    // The kernel's own descriptors end with the snapshot's restore.
    void keep(long descriptor)
    {
        descriptors_[count_ % descriptors_.size()] = descriptor;
        ++count_;
    }

    long argument(Kind kind, unsigned always)
    {
        switch (kind) {
        case none:
            return 0;
        case descriptor:
            return descriptor_of(input_.byte());
        case path:
            return reinterpret_cast<long>(input_.choice(paths));
        case name:
            return reinterpret_cast<long>(input_.choice(words));
        case buffer:
            return reinterpret_cast<long>(fill());
        case length:
            return input_.word();
        case pair:
            return reinterpret_cast<long>(pair_.data());
        case small:
            return input_.byte();
        case flags:
            return input_.word();
        case word:
            return input_.dword();
        case place:
            return static_cast<long>(input_.choice(borders)) + input_.byte() - 128;
        case at_cwd:
            return LKL_AT_FDCWD;
        case no_wait:
            return input_.word() | always;
        case family:
            return input_.choice(families);
        case socket_type:
            return 1 + input_.byte() % 5 + static_cast<long>(nonblock);
        }
        return 0;
    }

    // Words of 32 bits in places of 64, so that none is an address of this process.
    uint64_t* fill()
    {
        auto& words = buffers[next_buffer_++ % buffers.size()];
        std::memset(words.data(), 0, buffer_size);
        const size_t count = input_.byte() & 0xf;
        for (size_t i = 0; i < count; ++i)
            words[i] = input_.dword();
        return words.data();
    }

    Kernel& kernel_;
    Input& input_;
    std::array<long, most_descriptors> descriptors_{};
    size_t count_ = 0;
    std::array<int, 2> pair_{};
    size_t next_buffer_ = 0;
    static inline std::array<std::array<uint64_t, buffer_size / sizeof(uint64_t)>, 2> buffers;
};

Result<void> prepare(Kernel& kernel, const std::vector<DiskId>&)
{
    for (const char* directory : {"/d", "/tmp", "/proc"})
        kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, directory, 0755);
    kernel.syscall(__lkl__NR_mount, "tmpfs", "/tmp", "tmpfs", 0, "size=1m");
    kernel.syscall(__lkl__NR_mount, "proc", "/proc", "proc", 0, nullptr);
    return {};
}

}  // namespace

Result<std::unique_ptr<SystemCallTarget>> SystemCallTarget::start()
{
    MachineOptions options;
    options.prepare = prepare;
    // Files in memory have no limit of their own; without one for all, calls would end in a
    // panic for want of memory, which is no finding.
    options.command_line = "sysctl.vm.overcommit_memory=2 sysctl.vm.overcommit_ratio=50";
    auto machine = Machine::start(std::move(options));
    if (!machine)
        return std::move(machine).error();
    std::unique_ptr<SystemCallTarget> target(new SystemCallTarget);
    target->machine_ = std::move(*machine);
    return target;
}

void SystemCallTarget::run(std::span<const uint8_t> bytes)
{
    Input input(bytes);
    machine_->execute([&input](Kernel& kernel) { Sequence(kernel, input).run(); });
}

}  // namespace lkl::fuzz
