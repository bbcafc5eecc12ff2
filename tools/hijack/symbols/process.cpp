// SPDX-License-Identifier: GPL-2.0-only
// Functions of libc on threads, signals, and the process.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <memory>
#include <utility>

#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <threads.h>
#include <unistd.h>

#include "hijack/calls/signal_mask.hpp"
#include "hijack/preload/dispatch.hpp"
#include "hijack/preload/last_thread.hpp"
#include "hijack/preload/signals.hpp"
#include "hijack/programs/preloadable.hpp"
#include "hijack/symbols/symbol.hpp"

using hijack::Inside;
using hijack::libc_call;

namespace {

// libc's own function of that name.
template <typename Function>
Function* next(const char* name)
{
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// A thread's function returns a pointer to POSIX, a number to C11.
template <typename Result>
struct Start {
    Result (*function)(void*);
    void* argument;
    bool internal;

    static Result run(void* given)
    {
        const Start start = *std::unique_ptr<Start>(static_cast<Start*>(given));
        hijack::this_thread.internal = start.internal;
        if (!start.internal)
            hijack::last_thread::begin();
        hijack::dispatch::enter();
        return start.function(start.argument);
    }
};

// `create` makes a thread that runs the function that it is given, with that argument; 0
// where it succeeds.
template <typename Result, typename Create>
int start_thread(Result (*function)(void*), void* argument, Create create)
{
    const bool internal = Inside::already();
    const Inside inside;
    auto start = std::make_unique<Start<Result>>(Start<Result>{function, argument, internal});
    if (!internal)
        hijack::last_thread::announce();
    const int error = create(&Start<Result>::run, start.get());
    if (error == 0)
        (void)start.release();
    else if (!internal)
        hijack::last_thread::take_back();
    return error;
}

}  // namespace

HIJACK_SYMBOL(int, pthread_create,
              (pthread_t * thread, const pthread_attr_t* attributes, void* (*function)(void*),
               void* argument))
{
    static auto* const create =
        next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
    return start_thread(function, argument, [&](void* (*run)(void*), void* start) {
        return create(thread, attributes, run, start);
    });
}
// C11's, which calls the former inside of libc.
HIJACK_SYMBOL(int, thrd_create, (thrd_t * thread, int (*function)(void*), void* argument))
{
    static auto* const create = next<int(thrd_t*, int (*)(void*), void*)>("thrd_create");
    return start_thread(function, argument,
                        [&](int (*run)(void*), void* start) { return create(thread, run, start); });
}

HIJACK_SYMBOL(pid_t, fork, ())
{
    static auto* const make = next<pid_t()>("fork");
    const Inside inside;
    return make();
}
// The child must not work on its parent's memory, where the descriptor table is.
HIJACK_SYMBOL(pid_t, vfork, ())
{
    return hijack_fork();
}

HIJACK_SYMBOL(int, execve, (const char* path, char* const* arguments, char* const* environment))
{
    return static_cast<int>(libc_call(SYS_execve, path, arguments, environment));
}

namespace {

// What posix_spawn(3) returns for a program that the library does not reach; else 0. The
// child has its calls past us until it has become the program.
int refuse_spawn(const char* name, bool in_path, char* const* environment)
{
    const Inside inside;
    const std::string path = in_path ? hijack::programs::look_up(name) : name;
    return -hijack::calls::refuse_program(path, environment);
}

}  // namespace

HIJACK_SYMBOL(int, posix_spawn,
              (pid_t * child, const char* path, const posix_spawn_file_actions_t* actions,
               const posix_spawnattr_t* attributes, char* const* arguments,
               char* const* environment))
{
    static auto* const spawn = next<decltype(hijack_posix_spawn)>("posix_spawn");
    if (const int error = refuse_spawn(path, false, environment))
        return error;
    return spawn(child, path, actions, attributes, arguments, environment);
}
HIJACK_SYMBOL(int, posix_spawnp,
              (pid_t * child, const char* name, const posix_spawn_file_actions_t* actions,
               const posix_spawnattr_t* attributes, char* const* arguments,
               char* const* environment))
{
    static auto* const spawn = next<decltype(hijack_posix_spawnp)>("posix_spawnp");
    if (const int error = refuse_spawn(name, true, environment))
        return error;
    return spawn(child, name, actions, attributes, arguments, environment);
}

HIJACK_SYMBOL(void, _exit, (int status))
{
    for (;;)
        libc_call(SYS_exit_group, status);
}
HIJACK_SYMBOL(void, _Exit, (int status))
{
    for (;;)
        libc_call(SYS_exit_group, status);
}

HIJACK_SYMBOL(long, syscall, (long number, long a, long b, long c, long d, long e, long f))
{
    return libc_call(number, a, b, c, d, e, f);
}

namespace {

uint64_t bits_of(const sigset_t& set)
{
    return *reinterpret_cast<const uint64_t*>(&set);
}

// As libc does it: its own signals cannot be blocked.
long change_mask(int how, const sigset_t* set, sigset_t* old)
{
    const uint64_t allowed = set ? bits_of(*set) & ~hijack::libc_signals : 0;
    return libc_call(SYS_rt_sigprocmask, how, set ? &allowed : nullptr, old, sizeof allowed);
}

}  // namespace

HIJACK_SYMBOL(int, sigaction, (int signal, const struct sigaction* action, struct sigaction* old))
{
    static auto* const real =
        next<int(int, const struct sigaction*, struct sigaction*)>("sigaction");
    if (Inside::already() || hijack::is_libc_signal(signal))
        return real(signal, action, old);
    hijack::signals::Action given{}, before{};
    if (action)
        given = {reinterpret_cast<uintptr_t>(action->sa_handler),
                 static_cast<uint64_t>(static_cast<unsigned>(action->sa_flags)), 0,
                 bits_of(action->sa_mask)};
    const long result =
        hijack::signals::set_action(signal, action ? &given : nullptr, old ? &before : nullptr);
    if (result < 0) {
        errno = static_cast<int>(-result);
        return -1;
    }
    if (old) {
        *old = {};
        // NOLINTNEXTLINE(performance-no-int-to-ptr): system calls have handlers as numbers
        old->sa_handler = reinterpret_cast<sighandler_t>(before.handler);
        old->sa_flags = static_cast<int>(before.flags & ~0x04000000ull);
        *reinterpret_cast<uint64_t*>(&old->sa_mask) = before.mask;
    }
    return 0;
}

namespace {

// Those that siginterrupt(3) was asked for: signal(3) then does without SA_RESTART. libc knows
// it for its own signal() alone.
std::atomic<uint64_t> interrupting{0};

uint64_t bit_of(int signal)
{
    return signal >= 1 && signal <= 64 ? uint64_t{1} << (signal - 1) : 0;
}

}  // namespace

HIJACK_SYMBOL(int, siginterrupt, (int signal, int interrupt))
{
    struct sigaction action {};
    if (hijack_sigaction(signal, nullptr, &action) != 0)
        return -1;
    if (interrupt) {
        interrupting |= bit_of(signal);
        action.sa_flags &= ~SA_RESTART;
    } else {
        interrupting &= ~bit_of(signal);
        action.sa_flags |= SA_RESTART;
    }
    return hijack_sigaction(signal, &action, nullptr);
}

HIJACK_SYMBOL(sighandler_t, signal, (int signal, sighandler_t handler))
{
    struct sigaction action {
    }, old{};
    action.sa_handler = handler;
    action.sa_flags = interrupting & bit_of(signal) ? 0 : SA_RESTART;
    return hijack_sigaction(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

HIJACK_SYMBOL(int, sigprocmask, (int how, const sigset_t* set, sigset_t* old))
{
    return static_cast<int>(change_mask(how, set, old));
}
HIJACK_SYMBOL(int, pthread_sigmask, (int how, const sigset_t* set, sigset_t* old))
{
    const int saved = errno;
    const bool failed = change_mask(how, set, old) < 0;
    return failed ? std::exchange(errno, saved) : 0;
}
