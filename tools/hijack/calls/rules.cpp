// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/rules.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <sys/socket.h>
#include <sys/time.h>

#include <lkl/asm/socket.h>
#include <lkl/asm/unistd.h>

#include "hijack/calls/borrowed.hpp"
#include "hijack/calls/epoll.hpp"
#include "hijack/calls/paths.hpp"
#include "hijack/calls/poll.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/fork_mark.hpp"
#include "hijack/preload/signals.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack {

namespace {

enum Trait : unsigned {
    restarts = 1,     // after a signal whose handler has SA_RESTART
    breaks_pipe = 2,  // EPIPE comes with SIGPIPE
    sends = 4,        // a socket's SO_SNDTIMEO is how long it waits, else SO_RCVTIMEO
};
constexpr unsigned writes = restarts | breaks_pipe | sends;

// Of a call: a function; or the same call of our kernel, when the descriptor in the first
// argument is ours; or neither, and it is the host's.
struct Rule {
    long (*function)(const long*) = nullptr;
    int kernel_number = -1;
    unsigned traits = 0;
};

constexpr size_t numbers = 512;
using Table = std::array<Rule, numbers>;

constexpr void add_plain(Table& t)
{
    t[SYS_read] = {nullptr, __lkl__NR_read, restarts};
    t[SYS_write] = {nullptr, __lkl__NR_write, writes};
    t[SYS_readv] = {nullptr, __lkl__NR_readv, restarts};
    t[SYS_writev] = {nullptr, __lkl__NR_writev, writes};
    t[SYS_pread64] = {nullptr, __lkl__NR_pread64, restarts};
    t[SYS_pwrite64] = {nullptr, __lkl__NR_pwrite64, restarts};
    t[SYS_preadv] = {nullptr, __lkl__NR_preadv, restarts};
    t[SYS_pwritev] = {nullptr, __lkl__NR_pwritev, restarts};
    t[SYS_preadv2] = {nullptr, __lkl__NR_preadv2, restarts};
    t[SYS_pwritev2] = {nullptr, __lkl__NR_pwritev2, writes};
    t[SYS_lseek] = {nullptr, __lkl__NR_lseek};
    t[SYS_getdents64] = {nullptr, __lkl__NR_getdents64};
    t[SYS_fsync] = {nullptr, __lkl__NR_fsync};
    t[SYS_fdatasync] = {nullptr, __lkl__NR_fdatasync};
    t[SYS_syncfs] = {nullptr, __lkl__NR_syncfs};
    t[SYS_sync_file_range] = {nullptr, __lkl__NR_sync_file_range};
    t[SYS_ftruncate] = {nullptr, __lkl__NR_ftruncate};
    t[SYS_fallocate] = {nullptr, __lkl__NR_fallocate};
    t[SYS_fadvise64] = {nullptr, __lkl__NR_fadvise64};
    t[SYS_readahead] = {nullptr, __lkl__NR_readahead};
    t[SYS_flock] = {nullptr, __lkl__NR_flock, restarts};
    t[SYS_fchmod] = {nullptr, __lkl__NR_fchmod};
    t[SYS_fchown] = {nullptr, __lkl__NR_fchown};
    t[SYS_fstatfs] = {nullptr, __lkl__NR_fstatfs};
    t[SYS_fgetxattr] = {nullptr, __lkl__NR_fgetxattr};
    t[SYS_fsetxattr] = {nullptr, __lkl__NR_fsetxattr};
    t[SYS_flistxattr] = {nullptr, __lkl__NR_flistxattr};
    t[SYS_fremovexattr] = {nullptr, __lkl__NR_fremovexattr};
}

constexpr void add_sockets(Table& t)
{
    t[SYS_bind] = {calls::bind};
    t[SYS_connect] = {calls::connect, -1, restarts | sends};
    t[SYS_listen] = {nullptr, __lkl__NR_listen};
    t[SYS_shutdown] = {nullptr, __lkl__NR_shutdown};
    t[SYS_getsockname] = {nullptr, __lkl__NR_getsockname};
    t[SYS_getpeername] = {nullptr, __lkl__NR_getpeername};
    t[SYS_getsockopt] = {nullptr, __lkl__NR_getsockopt};
    t[SYS_setsockopt] = {calls::set_option};
    t[SYS_sendto] = {calls::send_to, -1, writes};
    t[SYS_recvfrom] = {nullptr, __lkl__NR_recvfrom, restarts};
    t[SYS_recvmsg] = {nullptr, __lkl__NR_recvmsg, restarts};
    t[SYS_recvmmsg] = {nullptr, __lkl__NR_recvmmsg, restarts};
    t[SYS_socket] = {calls::socket};
    t[SYS_socketpair] = {calls::socket_pair};
    t[SYS_accept] = {calls::accept, -1, restarts};
    t[SYS_accept4] = {calls::accept4, -1, restarts};
    t[SYS_sendmsg] = {calls::send_message, -1, writes};
    t[SYS_sendmmsg] = {calls::send_messages, -1, writes};
}

constexpr void add_descriptors(Table& t)
{
    t[SYS_close] = {calls::close};
    t[SYS_close_range] = {calls::close_range};
    t[SYS_dup] = {calls::dup};
    t[SYS_dup2] = {calls::dup2};
    t[SYS_dup3] = {calls::dup3};
    t[SYS_fcntl] = {calls::fcntl};
    t[SYS_ioctl] = {calls::ioctl, -1, restarts};
    t[SYS_fstat] = {calls::fstat};
    t[SYS_sendfile] = {calls::sendfile, -1, writes};
    t[SYS_splice] = {calls::splice, -1, restarts};
    t[SYS_tee] = {calls::tee};
    t[SYS_copy_file_range] = {calls::copy_file_range};
    t[SYS_poll] = {polls::poll};
    t[SYS_ppoll] = {polls::ppoll};
    t[SYS_select] = {polls::select};
    t[SYS_pselect6] = {polls::pselect6};
    t[SYS_epoll_create] = {epolls::create};
    t[SYS_epoll_create1] = {epolls::create1};
    t[SYS_epoll_ctl] = {epolls::control};
    t[SYS_epoll_wait] = {epolls::wait};
    t[SYS_epoll_pwait] = {epolls::pwait};
    t[SYS_epoll_pwait2] = {epolls::pwait2};
}

constexpr void add_process(Table& t)
{
    t[SYS_mmap] = {paths::map};
    t[SYS_umask] = {calls::umask};
    t[SYS_sync] = {calls::sync};
    t[SYS_chdir] = {paths::change_directory};
    t[SYS_fchdir] = {paths::change_directory_to};
    t[SYS_execve] = {calls::execve};
    t[SYS_execveat] = {calls::execveat};
    t[SYS_exit_group] = {calls::exit_group};
    t[SYS_rt_sigaction] = {calls::sigaction};
    t[SYS_rt_sigprocmask] = {calls::sigprocmask};
    t[SYS_rt_sigsuspend] = {calls::sigsuspend};
    t[SYS_prctl] = {calls::prctl};
    t[SYS_fork] = {calls::fork};
    t[SYS_vfork] = {calls::fork};
    t[SYS_clone] = {calls::clone};
    t[SYS_clone3] = {calls::clone3};
    t[SYS_unshare] = {calls::unshare};
    t[SYS_setns] = {calls::setns};
    t[SYS_landlock_add_rule] = {calls::add_landlock_rule};
    t[SYS_io_uring_setup] = {calls::io_uring};
    t[SYS_io_uring_enter] = {calls::io_uring};
    t[SYS_io_uring_register] = {calls::io_uring};
}

constexpr Table make_table()
{
    Table table{};
    add_plain(table);
    add_sockets(table);
    add_descriptors(table);
    add_process(table);
    return table;
}

constexpr Table rules = make_table();

long run_once(const Rule& rule, long number, const long* args)
{
    if (rule.function)
        return rule.function(args);
    const descriptors::Entry entry = descriptors::entry(args[0]);
    if (entry == 0) [[likely]]
        return host::raw(number, args);
    if (entry & descriptors::internal_bit)
        return -EBADF;
    if (entry & descriptors::epoll_bit)
        return host::raw(number, args);
    const Inside inside;
    const long ours[6] = {static_cast<long>(entry & descriptors::number_mask) - 1,
                          args[1],
                          args[2],
                          args[3],
                          args[4],
                          args[5]};
    return stack::call_with(rule.kernel_number, ours);
}

// What our kernel would have sent to the task, which has no such signal.
void send_sigpipe(long number, const long* args)
{
    long flags = 0;
    if (number == SYS_sendto || number == SYS_sendmmsg)
        flags = args[3];
    else if (number == SYS_sendmsg)
        flags = args[2];
    if (!(flags & MSG_NOSIGNAL))
        host::call(SYS_tgkill, host::call(SYS_getpid), host::call(SYS_gettid), SIGPIPE);
}

// signal(7): what waits for a socket with a timeout does not go on after a handler. The socket
// is asked: its duplicates and what it has accepted have its timeouts.
bool has_timeout(long fd, unsigned traits)
{
    const int kernel_fd = descriptors::ours(fd);
    if (kernel_fd < 0)
        return false;
    const Inside inside;
    timeval timeout{};
    socklen_t size = sizeof timeout;
    return stack::call(__lkl__NR_getsockopt, kernel_fd, LKL_SOL_SOCKET,
                       traits & sends ? LKL_SO_SNDTIMEO : LKL_SO_RCVTIMEO, &timeout, &size) == 0 &&
           (timeout.tv_sec != 0 || timeout.tv_usec != 0);
}

bool goes_on_after_signal(const Rule& rule, const long* args)
{
    return signals::take_restart() && (rule.traits & restarts) &&
           !has_timeout(args[0], rule.traits);
}

}  // namespace

long run_call(long number, const long* args)
{
    if (fork_mark::is_wiped()) [[unlikely]]
        stack::forked_unseen();
    if (static_cast<unsigned long>(number) >= numbers)
        return host::raw(number, args);
    const Rule& rule = rules[static_cast<size_t>(number)];
    if (!rule.function && rule.kernel_number < 0) {
        const std::optional<long> result = paths::run(number, args);
        return result ? *result : host::raw(number, args);
    }
    if (borrowed::is_borrower() && borrowed::is_hosts(number)) [[unlikely]]
        return host::raw(number, args);
    for (;;) {
        const long result = run_once(rule, number, args);
        if (result >= 0) [[likely]]
            return result;
        if (result == -EINTR && goes_on_after_signal(rule, args))
            continue;
        if (result == -EPIPE && (rule.traits & breaks_pipe) && descriptors::ours(args[0]) >= 0)
            send_sigpipe(number, args);
        return result;
    }
}

}  // namespace hijack
