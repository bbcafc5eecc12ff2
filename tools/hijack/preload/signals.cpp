// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/signals.hpp"

#include <array>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <linux/futex.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>

#include "hijack/calls/signal_mask.hpp"
#include "hijack/calls/takeover.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/helper_thread.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

// The end of each handler: libc's own would be dispatched.
extern "C" void hijack_restorer();
asm(R"(
    .text
    .hidden hijack_restorer
    .globl hijack_restorer
    .type hijack_restorer, @function
hijack_restorer:
    mov $15, %eax
    syscall
    .size hijack_restorer, . - hijack_restorer
)");

namespace hijack {

namespace signals {

namespace {

constexpr int last_signal = 64;
constexpr uint64_t has_restorer = 0x04000000;  // SA_RESTORER, which is libc's secret
// What interrupts a call in our kernel.
constexpr int kernel_signal = SIGUSR1;

// What the program has asked for. Written in set_action(), read by handlers on any
// thread; a handler that comes while it is changed may see the old flags with the new
// function, as both take the same arguments.
struct Wanted {
    std::atomic<uintptr_t> handler{0};
    std::atomic<uint64_t> flags{0};
    std::atomic<uint64_t> mask{0};
};
std::array<Wanted, last_signal + 1> wanted;

int interrupt_pipe[2] = {-1, -1};
// How often all that was written has been put into the images. The interrupter's; who waits
// reads it.
std::atomic<uint32_t> write_backs{0};
std::atomic<bool> writes_back{false};

constexpr uint64_t bit(int signal)
{
    return 1ull << (signal - 1);
}

// What ends a process by default, and comes from outside of it or is sent on purpose.
constexpr uint64_t endings = bit(SIGHUP) | bit(SIGINT) | bit(SIGQUIT) | bit(SIGABRT) |
                             bit(SIGUSR1) | bit(SIGUSR2) | bit(SIGPIPE) | bit(SIGALRM) |
                             bit(SIGTERM) | bit(SIGSTKFLT) | bit(SIGXCPU) | bit(SIGXFSZ) |
                             bit(SIGVTALRM) | bit(SIGPROF) | bit(SIGIO) | bit(SIGPWR);

bool is_fault(int signal, const siginfo_t* info)
{
    const bool kind = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE ||
                      signal == SIGILL || signal == SIGTRAP;
    return kind && info->si_code > 0;
}

void defer(int signal, const siginfo_t* info, void* context)
{
    auto* const uc = static_cast<ucontext_t*>(context);
    *reinterpret_cast<uint64_t*>(&uc->uc_sigmask) |= bit(signal);
    const bool restart = wanted[static_cast<size_t>(signal)].flags.load() & SA_RESTART;
    if (this_thread.deferred == 0)
        this_thread.restart = restart;
    else if (!restart)
        this_thread.restart = false;
    this_thread.deferred = this_thread.deferred | bit(signal);
    // Now too: with SA_NODEFER it would come again at once.
    const uint64_t blocked = bit(signal);
    host::call(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, nullptr, sizeof blocked);
    host::call(SYS_rt_tgsigqueueinfo, host::call(SYS_getpid), host::call(SYS_gettid), signal, info);
    interrupt_self();
}

void write_back()
{
    if (!stack::is_up())
        return;
    const uint32_t before = write_backs.load();
    Thread* const nobody = nullptr;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the pointer itself goes through the pipe
    host::call(SYS_write, interrupt_pipe[1], &nobody, sizeof nobody);
    const timespec limit{10, 0};
    host::call(SYS_futex, &write_backs, FUTEX_WAIT_PRIVATE, before, &limit, nullptr, 0);
}

// In the place of the default action, which follows when this handler has returned.
void on_ending(int signal, siginfo_t* info, void* context)
{
    if (this_thread.depth != 0)
        return defer(signal, info, context);
    write_back();
    const Action none{};
    host::call(SYS_rt_sigaction, signal, &none, nullptr, sizeof(uint64_t));
    host::call(SYS_tgkill, host::call(SYS_getpid), host::call(SYS_gettid), signal);
}

// What the host is told where the program wants the default.
Action default_action(int signal)
{
    if (!writes_back.load() || (endings & bit(signal)) == 0)
        return {};
    return {reinterpret_cast<uintptr_t>(&on_ending), SA_SIGINFO | SA_ONSTACK | has_restorer,
            reinterpret_cast<uintptr_t>(&hijack_restorer), endings};
}

void run_handler(int signal, siginfo_t* info, void* context)
{
    Wanted& own = wanted[static_cast<size_t>(signal)];
    // NOLINTNEXTLINE(performance-no-int-to-ptr): system calls have handlers as numbers
    const auto handler = reinterpret_cast<void (*)(int, siginfo_t*, void*)>(own.handler.load());
    if (own.flags.load() & SA_RESETHAND) {
        const Action reset = default_action(signal);
        host::call(SYS_rt_sigaction, signal, &reset, nullptr, sizeof(uint64_t));
    }
    // Set back to the default since it was sent.
    if (own.handler.load() <= 1)
        return;
    // Not by a destructor: who leaves the handler otherwise is no longer in exec.
    const bool in_exec = takeover::interrupt();
    handler(signal, info, context);
    if (in_exec)
        takeover::resume();
}

void on_signal(int signal, siginfo_t* info, void* context)
{
    if (this_thread.depth == 0 || is_fault(signal, info))
        run_handler(signal, info, context);
    else
        defer(signal, info, context);
}

// In our kernel, as the handler of the signal that interrupts calls: the call has ended.
void on_kernel_signal(int, void*, void*) {}

void interrupt(Thread* thread)
{
    const long process = stack::call(__lkl__NR_getpid);
    stack::call(__lkl__NR_tgkill, process, thread->kernel_tid, kernel_signal);
    thread->interrupts_made.fetch_add(1);
    host::call(SYS_futex, &thread->interrupts_made, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr,
               0);
}

void run_interrupter()
{
    for (;;) {
        Thread* thread = nullptr;
        // NOLINTNEXTLINE(bugprone-sizeof-expression): the pointer itself goes through the pipe
        if (host::call(SYS_read, interrupt_pipe[0], &thread, sizeof thread) != sizeof thread)
            continue;
        if (thread) {
            interrupt(thread);
        } else {
            stack::call(__lkl__NR_sync);
            write_backs.fetch_add(1);
            host::call(SYS_futex, &write_backs, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
        }
    }
}

}  // namespace

long set_action(int signal, const Action* action, Action* old)
{
    if (signal < 1 || signal > last_signal || signal == SIGKILL || signal == SIGSTOP ||
        is_libc_signal(signal))
        return host::call(SYS_rt_sigaction, signal, action, old, sizeof(uint64_t));
    Wanted& own = wanted[static_cast<size_t>(signal)];
    const Action before{own.handler.load(), own.flags.load(), 0, own.mask.load()};
    if (action) {
        // First: a handler that comes at once finds its function.
        own.handler.store(action->handler);
        own.flags.store(action->flags);
        own.mask.store(action->mask);
    }
    if (signal == SIGSYS) {
        if (old)
            *old = before;
        return 0;
    }
    Action real{}, replaced{};
    if (action) {
        real = action->handler == 0 ? default_action(signal) : *action;
        real.mask = without_sigsys(real.mask);
        if (action->handler > 1) {
            real.handler = reinterpret_cast<uintptr_t>(&on_signal);
            real.restorer = reinterpret_cast<uintptr_t>(&hijack_restorer);
            real.flags =
                (real.flags | SA_SIGINFO | has_restorer) & ~static_cast<uint64_t>(SA_RESETHAND);
        }
    }
    const long result =
        host::call(SYS_rt_sigaction, signal, action ? &real : nullptr, &replaced, sizeof(uint64_t));
    if (result == 0 && old) {
        const bool was_ours = replaced.handler == reinterpret_cast<uintptr_t>(&on_signal);
        const bool was_default = replaced.handler == reinterpret_cast<uintptr_t>(&on_ending);
        *old = was_ours ? before : was_default ? Action{} : replaced;
    }
    return result;
}

void run_sigsys_of_program(siginfo_t* info, void* context)
{
    if (wanted[SIGSYS].handler.load() > 1)
        return run_handler(SIGSYS, info, context);
    // As if there was no handler: the default action, once this one has returned.
    const Action none{};
    host::call(SYS_rt_sigaction, SIGSYS, &none, nullptr, sizeof(uint64_t));
    host::call(SYS_tgkill, host::call(SYS_getpid), host::call(SYS_gettid), SIGSYS);
}

long set_mask(int how, const uint64_t* set, uint64_t* old, uint64_t size)
{
    uint64_t filtered = 0;
    if (set)
        filtered = how == SIG_UNBLOCK ? *set : without_sigsys(*set);
    return host::call(SYS_rt_sigprocmask, how, set ? &filtered : nullptr, old, size);
}

void start_interrupter()
{
    host::call(SYS_pipe2, interrupt_pipe, O_CLOEXEC);
    for (int& end : interrupt_pipe)
        end = descriptors::make_own(end);
    struct KernelAction {
        void (*handler)(int, void*, void*);
        unsigned long flags;
        uint64_t mask;
    };
    const KernelAction action{on_kernel_signal, 0, 0};
    stack::call(__lkl__NR_rt_sigaction, kernel_signal, &action, nullptr, sizeof action.mask);
    start_helper("lkl-interrupt", run_interrupter);
}

void write_back_at_end()
{
    writes_back = true;
    for (int signal = 1; signal <= last_signal; signal++) {
        Action now{};
        host::call(SYS_rt_sigaction, signal, nullptr, &now, sizeof(uint64_t));
        const Action action = default_action(signal);
        if (now.handler == 0 && action.handler != 0)
            host::call(SYS_rt_sigaction, signal, &action, nullptr, sizeof(uint64_t));
    }
}

void interrupt_self()
{
    // Before its first call of our kernel the thread waits for nothing there; the first
    // call asks again (stack.cpp).
    if (this_thread.kernel_tid == 0)
        return;
    this_thread.interrupts_asked = this_thread.interrupts_asked + 1;
    Thread* const self = &this_thread;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the pointer itself goes through the pipe
    host::call(SYS_write, interrupt_pipe[1], &self, sizeof self);
}

bool take_restart()
{
    const bool restart = this_thread.restart;
    this_thread.restart = false;
    return restart;
}

}  // namespace signals

namespace {

// Takes our kernel's signal, so that it does not interrupt the next call.
void wait_for_interrupter()
{
    this_thread.depth = this_thread.depth + 1;
    const char selector = this_thread.selector;
    this_thread.selector = selector_allow;
    // More may be asked for meanwhile, by handlers.
    uint32_t made = this_thread.interrupts_made.load();
    const bool any = this_thread.interrupts_seen != this_thread.interrupts_asked;
    while (made != this_thread.interrupts_asked) {
        host::call(SYS_futex, &this_thread.interrupts_made, FUTEX_WAIT_PRIVATE, made, nullptr,
                   nullptr, 0);
        made = this_thread.interrupts_made.load();
    }
    this_thread.interrupts_seen = made;
    if (any)
        stack::call(__lkl__NR_getpid);
    this_thread.selector = selector;
    this_thread.depth = this_thread.depth - 1;
}

}  // namespace

void run_deferred()
{
    while (this_thread.deferred != 0) {
        wait_for_interrupter();
        const uint64_t waiting = this_thread.deferred;
        this_thread.deferred = 0;
        // The handlers run here.
        host::call(SYS_rt_sigprocmask, SIG_UNBLOCK, &waiting, nullptr, sizeof waiting);
    }
}

}  // namespace hijack
