// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/stack.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>
#include <lkl/linux/resource.h>
#include <lkl/linux/socket.h>
#include <lkl/socket.h>

#include "capi/command_line.hpp"
#include "hijack/calls/borrowed.hpp"
#include "hijack/calls/epoll.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/calls/takeover.hpp"
#include "hijack/files/images.hpp"
#include "hijack/network/leases.hpp"
#include "hijack/network/network.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/dispatch.hpp"
#include "hijack/preload/ending.hpp"
#include "hijack/preload/fork_mark.hpp"
#include "hijack/preload/last_thread.hpp"
#include "hijack/preload/message.hpp"
#include "hijack/preload/settings.hpp"
#include "hijack/preload/signals.hpp"

namespace hijack::stack {

std::atomic<State> state{State::none};
lkl::Kernel* kernel = nullptr;

namespace {

// Room for a mutex that a forked child makes anew: another thread of the parent may have
// held it.
alignas(std::mutex) std::byte mutex_room[sizeof(std::mutex)];
std::mutex& start_mutex()
{
    static std::mutex* const mutex = new (mutex_room) std::mutex;
    return *mutex;
}

MessageOnce tell_forked, tell_crash, tell_full;

// From before fork() until it has been made, also where libc calls it for itself.
thread_local std::optional<Inside> inside_fork;

// The thread's first call of our kernel. Its task there ends with the thread, by a
// destructor that is made in the first call; what it does is the library's, so it has to
// run Inside. Destructors run in the opposite order of their making: these two are made
// around it.
template <typename Function>
auto call_first(Function function)
{
    struct After {
        std::optional<Inside> inside;
    };
    struct Before {
        After& after;
        ~Before()
        {
            this_thread.kernel_tid = 0;
            after.inside.emplace();
        }
    };
    thread_local After after;
    auto result = function();
    thread_local Before before{after};
    return result;
}

// How many descriptors a kernel with so many bytes of memory is good for, whatever is done with
// them: one of TCP holds 64 KiB at most that nobody has read, also above TCP's own limit. More
// would end a kernel in which nothing can be killed. docs/run.md has the figures.
uint64_t descriptors_for(uint64_t memory)
{
    constexpr uint64_t own_memory = 18 << 20, each = 64 << 10;
    // In less than that, what is kept free for others counts more.
    constexpr uint64_t small = 28 << 20, least = 64;
    const uint64_t taken = own_memory + memory / 64;  // struct page
    return memory < small ? least : std::min<uint64_t>((memory - taken) / each, descriptors::limit);
}

// The run's lock: a name of the host that one socket can have. It goes with the process.
// False: another process of the run has it.
bool take_run()
{
    const descriptors::Own own;
    const long lock = host::call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (lock < 0)
        return true;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "lkl-run-" + settings::run_id();
    name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
    const auto length = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    if (host::call(SYS_bind, lock, &address, length) == -EADDRINUSE) {
        host::call(SYS_close, lock);
        return false;
    }
    return true;
}

std::string boot()
{
    const Configuration* const configuration = settings::configuration();
    if (!configuration)
        return "its settings are wrong, see above";
    if (is_on(configuration->dump))
        message(to_json(*configuration));
    if (!take_run())
        return "another process of this run has the network stack (docs/run.md)";
    // The first mem= is ours; one that is given comes after it and counts.
    auto options = lkl::capi::parse_command_line("mem=256M " + configuration->boot_cmdline);
    if (!options)
        return options.error().what;
    if (is_on(configuration->debug))
        options->log = [](std::string_view line) { message_raw(line); };
    const descriptors::Own own;
    if (!configuration->images.empty())
        keep_standard_error();
    auto started = call_first([&] { return lkl::Kernel::start(*options); });
    if (!started)
        return started.error().what;
    kernel = new lkl::Kernel(*std::move(started));
    const uint64_t room = descriptors_for(options->memory);
    const lkl_rlimit64 most{room, room};
    kernel->syscall(__lkl__NR_prlimit64, 0, LKL_RLIMIT_NOFILE, &most, nullptr);
    return network::configure(*kernel, *configuration);
}

// A thread of the program does not see that its network has gone before the process. One that
// holds a mutex, or is the library's, goes on: who ends the process may wait for the mutex, or
// for its answer (signals.cpp).
void stay_unless_awaited()
{
    while (!this_thread.internal && this_thread.holds == 0)
        pause();
}

// Which is told.
bool has_crashed()
{
    const std::string panic = kernel->panic_message();
    if (!panic.empty())
        tell_crash("the kernel of the network stack crashed: " + panic);
    return !panic.empty();
}

int not_there(State now)
{
    if (now == State::lost)
        tell_forked(
            "this process was forked: the sockets and the network stack of its parent "
            "stay there (docs/run.md)");
    return -ENETDOWN;
}

}  // namespace

int start()
{
    const Inside inside;
    if (borrowed::is_borrower())
        return -ENETDOWN;
    if (is_up())
        return 0;
    const std::lock_guard lock(start_mutex());
    const State now = state.load();
    if (now != State::none)
        return now == State::up ? 0 : not_there(now);
    this_thread.starting = true;
    std::string error = boot();
    if (error.empty() && !(signals::start_interrupter() && ending::start()))
        error = "the host has no thread left";
    if (error.empty()) {
        if (!settings::configuration()->images.empty())
            signals::write_back_at_end();
        calls::copy_file_mask();
        const std::lock_guard nobody_in_exec(takeover::mutex());
        epolls::kernel_started();
    } else {
        message("no network: " + error);
        state.store(State::failed);
    }
    this_thread.starting = false;
    return error.empty() ? 0 : -ENETDOWN;
}

int check()
{
    if (borrowed::is_borrower()) [[unlikely]]
        return -ENETDOWN;
    const State now = state.load(std::memory_order_acquire);
    if (now == State::up || this_thread.starting || this_thread.outlives) [[likely]]
        return 0;
    if (now != State::ended)
        return not_there(now);
    stay_unless_awaited();
    return 0;
}

long call_with(long number, const long* args)
{
    if (const int error = check()) [[unlikely]]
        return error;
    if (this_thread.kernel_tid == 0) [[unlikely]] {
        this_thread.kernel_tid =
            static_cast<int>(call_first([] { return kernel->syscall(__lkl__NR_gettid); }));
        if (this_thread.deferred != 0)
            signals::interrupt_self();
    }
    const long result = kernel->call(number, args);
    // Whatever it is: of what was done after the last sync nobody may be told. Who is told has
    // had the kernel's lock before halt() has it.
    if (is_ended() && !this_thread.outlives) [[unlikely]] {
        stay_unless_awaited();
    } else if (result == -ESHUTDOWN || result == -EIO) [[unlikely]] {
        if (!this_thread.outlives)
            (void)has_crashed();
    }
    if (result == -EMFILE) [[unlikely]]
        tell_full("its kernel's memory has no room for more sockets (--kernel-memory)");
    return result;
}

bool halt()
{
    this_thread.outlives = true;
    State up = State::up;
    if (!state.compare_exchange_strong(up, State::ended))
        return true;
    // As the end of a process does it: what is sent gets on its way, and peers are told.
    descriptors::for_each_ours([](int kernel_fd) {
        call(__lkl__NR_shutdown, kernel_fd, SHUT_WR);
        call(__lkl__NR_close, kernel_fd);
    });
    network::wait_until_sent(*kernel);
    network::release_leases(*kernel);
    const bool unmounted = kernel->running() && images::unmount_all(*kernel);
    const auto halted = kernel->halt();
    if (!has_crashed() && !halted)
        message(halted.error().what);
    return settings::configuration()->images.empty() || (unmounted && halted);
}

void forking()
{
    inside_fork.emplace();
    epolls::forking();
}

void fork_made()
{
    epolls::fork_made();
    inside_fork.reset();
}

void forked()
{
    new (mutex_room) std::mutex;
    takeover::forked();
    signals::forked();
    ending::forked();
    last_thread::forked();
    epolls::forked();
    descriptors::forked();
    // Also where another thread was just ending the process, or this one was.
    if (const State now = state.load(); now == State::up || now == State::ended)
        state.store(State::lost);
    this_thread.outlives = false;
    fork_mark::set();
    this_thread.kernel_tid = 0;
    this_thread.lender = 0;
    this_thread.holds = 0;
    this_thread.dispatched = false;
    this_thread.selector = selector_allow;
    dispatch::enter();
    inside_fork.reset();
}

void forked_unseen()
{
    inside_fork.emplace();
    epolls::forking_unseen();
    forked();
}

}  // namespace hijack::stack
