// SPDX-License-Identifier: GPL-2.0-only
#include "system_calls.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <sys/mman.h>

#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm-generic/unistd.h>
#include <lkl/linux/bpf.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/io_uring.h>

#include "input.hpp"
#include "structures.hpp"

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
    vector,       // of buffers, see structures.hpp
    count,        // of its elements
    message,      // of sendmsg(2), with an address and two buffers
    address,      // of a socket
    size_of,      // of that
    soon,         // a time of less than a millisecond
    event,        // that tells nobody, or by a signal that is ignored
    operations,   // of semaphores, that do not wait
    key,          // that an earlier call has returned, or a keyring
    object,       // what an earlier call has returned: a number of System V, a timer
    timer,        // its number comes there
    memory,       // that an earlier call has mapped
    string,       // a type of key
};

struct Call {
    long number;
    std::array<Kind, 6> arguments;
    bool opens = false;         // returns a descriptor
    unsigned no_wait = 0;       // what Kind::no_wait always has
    Kind returns = Kind::none;  // key, object, memory: to be used by later calls
};

constexpr unsigned nonblock = LKL_O_NONBLOCK;
constexpr unsigned dontwait = 0x40;  // MSG_DONTWAIT
constexpr unsigned ipc_nowait = 04000;
constexpr unsigned ipc_create = 01000 | 0600;

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
    // What holds pointers.
    Call{__lkl__NR_readv, {descriptor, vector, count}},
    Call{__lkl__NR_writev, {descriptor, vector, count}},
    Call{__lkl__NR_preadv2, {descriptor, vector, count, place, none, small}},
    Call{__lkl__NR_pwritev2, {descriptor, vector, count, place, none, small}},
    Call{__lkl__NR_bind, {descriptor, address, size_of}},
    Call{__lkl__NR_connect, {descriptor, address, size_of}},
    Call{__lkl__NR_sendmsg, {descriptor, message, no_wait}, false, dontwait},
    Call{__lkl__NR_recvmsg, {descriptor, message, no_wait}, false, dontwait},
    Call{__lkl__NR_futex, {buffer, small, small, soon, buffer, small}},
    Call{__lkl__NR_timer_create, {small, event, timer}, false, 0, object},
    Call{__lkl__NR_timer_settime, {object, small, buffer, none}},
    Call{__lkl__NR_timer_gettime, {object, buffer}},
    Call{__lkl__NR_mmap, {none, length, small, no_wait, descriptor, none}, false, 0, memory},
    Call{__lkl__NR_mprotect, {memory, length, small}},
    Call{__lkl__NR_madvise, {memory, length, small}},
    Call{__lkl__NR_munmap, {memory, length}},
    // Keys and System V.
    Call{__lkl__NR_add_key, {string, name, buffer, small, key}, false, 0, key},
    Call{__lkl__NR_keyctl, {small, key, buffer, small, key}},
    Call{__lkl__NR_msgget, {small, no_wait}, false, ipc_create, object},
    Call{__lkl__NR_msgsnd, {object, buffer, small, no_wait}, false, ipc_nowait},
    Call{__lkl__NR_msgrcv, {object, buffer, small, small, no_wait}, false, ipc_nowait},
    Call{__lkl__NR_msgctl, {object, small, buffer}},
    Call{__lkl__NR_semget, {small, small, no_wait}, false, ipc_create, object},
    Call{__lkl__NR_semtimedop, {object, operations, count, soon}},
    Call{__lkl__NR_semctl, {object, small, small, buffer}},
    Call{__lkl__NR_shmget, {small, length, no_wait}, false, ipc_create, object},
    Call{__lkl__NR_shmctl, {object, small, buffer}},
    // Several calls: see Sequence::use_ring() and use_bpf().
    Call{__lkl__NR_io_uring_setup, {}},
    Call{__lkl__NR_bpf, {}},
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
constexpr std::array key_types{"user", "keyring", "logon", "big_key", "asymmetric"};
constexpr std::array<uint64_t, 6> borders{0, 4096, 65536, 1 << 20, 1ull << 31, 1ull << 40};
// AF_UNIX, INET, INET6, NETLINK, PACKET, ALG, VSOCK.
constexpr std::array<long, 7> families{1, 2, 10, 16, 17, 38, 40};

// The descriptors and other numbers that exist, and the buffers.
class Sequence {
public:
    // succeeded: gets the numbers of the calls that do.
    Sequence(Kernel& kernel, Input& input, std::vector<long>& succeeded)
        : kernel_(kernel), input_(input), succeeded_(succeeded)
    {
    }

    void run()
    {
        for (int i = 0; i < most_calls && !input_.empty(); ++i)
            make(input_.choice(calls));
    }

private:
    static constexpr size_t buffer_size = 64 << 10;

    void make(const Call& call)
    {
        if (call.number == __lkl__NR_io_uring_setup)
            return use_ring();
        if (call.number == __lkl__NR_bpf)
            return use_bpf();
        std::array<long, 6> arguments{};
        next_buffer_ = 0;
        bool has_pair = false;
        for (size_t i = 0; i < arguments.size(); ++i) {
            arguments[i] = argument(call.arguments[i], call.no_wait);
            has_pair |= call.arguments[i] == pair;
        }
        // At an address of its own choice, and nothing that this process has.
        if (call.number == __lkl__NR_mmap)
            arguments[3] &= ~static_cast<long>(MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN);
        const long result = kernel_.call(call.number, arguments.data());
        note(call.number, result);
        if (result < 0)
            return;
        if (call.returns == key)
            keys_.keep(result);
        else if (call.returns == object)
            objects_.keep(call.number == __lkl__NR_timer_create ? structures_.timer() : result);
        else if (call.returns == memory)
            mappings_.keep(result);
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
        case vector:
            return structures_.vector(fill(), fill());
        case count:
            return 1 + input_.byte() % 4;
        case message:
            return structures_.message(input_, fill(), fill());
        case address:
            return structures_.address(input_);
        case size_of:
            return structures_.address_size();
        case soon:
            return structures_.soon(input_);
        case event:
            return structures_.event(input_);
        case operations:
            return structures_.operations(input_);
        case key:
            return keys_.choice(input_.byte());
        case object:
            return objects_.choice(input_.byte());
        case timer:
            return structures_.timer_place();
        case memory:
            return mappings_.choice(input_.byte());
        case string:
            return reinterpret_cast<long>(input_.choice(key_types));
        }
        return 0;
    }

    long call(long number, std::array<long, 6> arguments)
    {
        const long result = kernel_.call(number, arguments.data());
        note(number, result);
        return result;
    }

    void note(long number, long result)
    {
        if (result >= 0)
            succeeded_.push_back(number);
    }

    // A ring of eight places, a few requests on descriptors and buffers of ours, and the call
    // that has them done. It does not wait for what cannot be done at once.
    void use_ring()
    {
        ::lkl_io_uring_params parameters{};
        parameters.flags = input_.byte() & LKL_IORING_SETUP_CLAMP;
        const long ring = call(__lkl__NR_io_uring_setup, {8, reinterpret_cast<long>(&parameters)});
        if (ring < 0)
            return;
        keep(ring);
        const auto map = [this, ring](uint64_t size, uint64_t offset) {
            return call(__lkl__NR_mmap, {0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                                         MAP_SHARED, ring, static_cast<long>(offset)});
        };
        const long queue = map(4096, LKL_IORING_OFF_SQ_RING);
        const long entries = map(4096, LKL_IORING_OFF_SQES);
        if (queue < 0 || entries < 0)
            return;
        // NOLINTBEGIN(performance-no-int-to-ptr): the calls give addresses
        auto* const requests = reinterpret_cast<::lkl_io_uring_sqe*>(entries);
        const auto word_at = [queue](uint32_t offset) {
            return reinterpret_cast<uint32_t*>(queue + offset);
        };
        // NOLINTEND(performance-no-int-to-ptr)
        const unsigned n = 1 + input_.byte() % 4;
        for (unsigned i = 0; i < n; ++i) {
            ::lkl_io_uring_sqe& request = requests[i];
            std::memset(&request, 0, sizeof request);
            request.opcode = input_.byte() % (LKL_IORING_OP_LAST + 1u);
            request.flags = input_.byte() & (LKL_IOSQE_IO_LINK | LKL_IOSQE_IO_DRAIN);
            request.fd = static_cast<int>(descriptor_of(input_.byte()));
            request.off = input_.byte();
            const uint8_t kind = input_.byte();
            request.addr =
                static_cast<uint64_t>(kind % 3 == 0   ? structures_.message(input_, fill(), fill())
                                      : kind % 3 == 1 ? structures_.vector(fill(), fill())
                                                      : reinterpret_cast<long>(fill()));
            request.len = input_.word() % (kind % 3 == 1 ? 5 : buffer_size);
            request.rw_flags = input_.byte() & 0x48;  // MSG_DONTWAIT, RWF_NOWAIT
            request.user_data = i;
            word_at(parameters.sq_off.array)[i] = i;
        }
        __atomic_store_n(word_at(parameters.sq_off.tail), n, __ATOMIC_RELEASE);
        call(__lkl__NR_io_uring_enter, {ring, static_cast<long>(n)});
    }

    // A map, what is done with one, or a program, loaded and run once.
    void use_bpf()
    {
        ::lkl_bpf_attr attribute{};
        const auto bpf = [this, &attribute](long command) {
            return call(__lkl__NR_bpf,
                        {command, reinterpret_cast<long>(&attribute), sizeof attribute});
        };
        switch (input_.byte() % 3) {
        case 0:
            attribute.map_type = input_.byte() % 34;
            attribute.key_size = 1 + input_.byte() % 16;
            attribute.value_size = 1 + input_.byte() % 64;
            attribute.max_entries = 1 + input_.byte() % 32;
            attribute.map_flags = input_.byte() % 8;
            if (const long map = bpf(LKL_BPF_MAP_CREATE); map >= 0)
                keep(map);
            return;
        case 1: {
            const long command = LKL_BPF_MAP_LOOKUP_ELEM + input_.byte() % 4;
            attribute.map_fd = static_cast<uint32_t>(descriptor_of(input_.byte()));
            attribute.key = reinterpret_cast<uint64_t>(fill());
            attribute.value = reinterpret_cast<uint64_t>(fill());
            bpf(command);
            return;
        }
        default:
            run_program(attribute, bpf);
        }
    }

    template <typename Bpf>
    void run_program(::lkl_bpf_attr& attribute, Bpf bpf)
    {
        // r0 = 0, what the input says, exit.
        std::array<::lkl_bpf_insn, 10> code{};
        const size_t n = input_.byte() % 9;
        code[0].code = 0xb7;
        for (size_t i = 1; i <= n && i + 1 < code.size(); ++i) {
            code[i].code = input_.byte();
            const uint8_t registers = input_.byte();
            code[i].dst_reg = registers & 0xf;
            code[i].src_reg = registers >> 4;
            code[i].off = static_cast<int8_t>(input_.byte());
            code[i].imm = static_cast<int>(input_.dword());
        }
        code[std::min(n + 1, code.size() - 1)].code = 0x95;
        attribute.prog_type = 1 + input_.byte() % 6;
        attribute.insns = reinterpret_cast<uint64_t>(code.data());
        attribute.insn_cnt = static_cast<uint32_t>(std::min(n + 2, code.size()));
        attribute.license = reinterpret_cast<uint64_t>("GPL");
        const long program = bpf(LKL_BPF_PROG_LOAD);
        if (program < 0)
            return;
        keep(program);
        attribute = {};
        attribute.test.prog_fd = static_cast<uint32_t>(program);
        attribute.test.data_in = reinterpret_cast<uint64_t>(fill());
        attribute.test.data_size_in = 64;
        bpf(LKL_BPF_PROG_TEST_RUN);
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
    std::vector<long>& succeeded_;
    Structures structures_;
    // The keyrings of the thread, the process and the session.
    Kept keys_{{-1, -2, -3}};
    Kept objects_{{0}};
    Kept mappings_{{0}};
    std::array<long, most_descriptors> descriptors_{};
    size_t count_ = 0;
    std::array<int, 2> pair_{};
    size_t next_buffer_ = 0;
    static inline std::array<std::array<uint64_t, buffer_size / sizeof(uint64_t)>, 3> buffers;
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
    succeeded_.clear();
    machine_->execute(
        [this, &input](Kernel& kernel) { Sequence(kernel, input, succeeded_).run(); });
}

}  // namespace lkl::fuzz
