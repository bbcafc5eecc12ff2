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
#include "hijack/preload/ending.hpp"
#include "hijack/preload/fork_mark.hpp"
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
bool writes_back = false;  // under the lock

// What ends a process by default, and comes from outside of it or is sent on purpose.
constexpr int first_real_time_signal = 34;  // of libc's
constexpr uint64_t endings = bit_of(SIGHUP) | bit_of(SIGINT) | bit_of(SIGQUIT) | bit_of(SIGABRT) |
                             bit_of(SIGUSR1) | bit_of(SIGUSR2) | bit_of(SIGPIPE) | bit_of(SIGALRM) |
                             bit_of(SIGTERM) | bit_of(SIGSTKFLT) | bit_of(SIGXCPU) |
                             bit_of(SIGXFSZ) | bit_of(SIGVTALRM) | bit_of(SIGPROF) | bit_of(SIGIO) |
                             bit_of(SIGPWR) | ~uint64_t{0} << (first_real_time_signal - 1);

// What the host has of each signal and `wanted` agree, and stay as they are once a signal ends
// the process: held by who changes them, with signals blocked, so that he does not meet himself
// in a handler; he waits for nobody. A mutex of libc is no matter for handlers. Who lets go wakes
// one of those who wait, and that one takes it, or waits for another who lets go; who keeps it
// wakes all.
enum Lock : uint32_t { lock_free, lock_held, lock_for_good };
std::atomic<uint32_t> lock{lock_free};

void take_lock(Lock wanted_state)
{
    for (;;) {
        uint32_t now = lock_free;
        if (lock.compare_exchange_strong(now, wanted_state)) {
            if (wanted_state == lock_for_good)
                host::call(SYS_futex, &lock, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
            return;
        }
        // Of several who end the process, each may.
        if (now == lock_for_good && wanted_state == lock_for_good)
            return;
        host::call(SYS_futex, &lock, FUTEX_WAIT_PRIVATE, now, nullptr, nullptr, 0);
    }
}

class Locked {
public:
    Locked()
    {
        // Whatever comes: no call in here is dispatched.
        const uint64_t all = ~uint64_t{0};
        host::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof before_);
        take_lock(lock_held);
    }
    ~Locked()
    {
        lock.store(lock_free);
        host::call(SYS_futex, &lock, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
        host::call(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

private:
    uint64_t before_ = 0;
};

bool is_fault(int signal, const siginfo_t* info)
{
    const bool kind = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE ||
                      signal == SIGILL || signal == SIGTRAP;
    return kind && info->si_code > 0;
}

void defer(int signal, const siginfo_t* info, void* context)
{
    auto* const uc = static_cast<ucontext_t*>(context);
    *reinterpret_cast<uint64_t*>(&uc->uc_sigmask) |= bit_of(signal);
    const bool restart = wanted[static_cast<size_t>(signal)].flags.load() & SA_RESTART;
    if (this_thread.deferred == 0)
        this_thread.restart = restart;
    else if (!restart)
        this_thread.restart = false;
    this_thread.deferred = this_thread.deferred | bit_of(signal);
    // Now too: with SA_NODEFER it would come again at once.
    const uint64_t blocked = bit_of(signal);
    host::call(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, nullptr, sizeof blocked);
    host::call(SYS_rt_tgsigqueueinfo, host::call(SYS_getpid), host::call(SYS_gettid), signal, info);
    interrupt_self();
}

void on_signal(int signal, siginfo_t* info, void* context);
void on_ending(int signal, siginfo_t* info, void* context);

// What the host is told where the program wants the default. Under the lock.
Action default_action(int signal)
{
    if (!writes_back || (endings & bit_of(signal)) == 0)
        return {};
    return {reinterpret_cast<uintptr_t>(&on_ending), SA_SIGINFO | SA_ONSTACK | has_restorer,
            reinterpret_cast<uintptr_t>(&hijack_restorer), all_but_faults};
}

// SA_RESETHAND, unless the program has taken another handler since.
void reset(int signal, uintptr_t handler)
{
    const Locked locked;
    Wanted& own = wanted[static_cast<size_t>(signal)];
    if (!own.handler.compare_exchange_strong(handler, 0) || signal == SIGSYS)
        return;
    const Action action = default_action(signal);
    host::call(SYS_rt_sigaction, signal, &action, nullptr, sizeof(uint64_t));
}

void run_handler(int signal, siginfo_t* info, void* context)
{
    Wanted& own = wanted[static_cast<size_t>(signal)];
    const uintptr_t address = own.handler.load();
    // Set back to the default since it was sent.
    if (address <= 1)
        return;
    if (own.flags.load() & SA_RESETHAND)
        reset(signal, address);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): system calls have handlers as numbers
    const auto handler = reinterpret_cast<void (*)(int, siginfo_t*, void*)>(address);
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
    // Of this library: abort(3) goes on with the default.
    else if (signal != SIGABRT || !is_raised_here(signal, *static_cast<ucontext_t*>(context)))
        defer(signal, info, context);
}

// In the place of the default action.
void on_ending(int signal, siginfo_t* info, void* context)
{
    const uintptr_t since = wanted[static_cast<size_t>(signal)].handler.load();
    if (since == 0)
        ending::by_signal(signal, context);
    else if (since > 1)
        on_signal(signal, info, context);
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
        if (host::call(SYS_read, interrupt_pipe[0], &thread, sizeof thread) == sizeof thread &&
            thread)
            interrupt(thread);
    }
}

long exchange_action(int signal, const Action* action, Action& old)
{
    const Locked locked;
    Wanted& own = wanted[static_cast<size_t>(signal)];
    old = {own.handler.load(), own.flags.load(), 0, own.mask.load()};
    if (action) {
        // First: a handler that comes at once finds its function.
        own.handler.store(action->handler);
        own.flags.store(action->flags);
        own.mask.store(action->mask);
    }
    if (signal == SIGSYS)
        return 0;
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
    const bool was_default = replaced.handler == reinterpret_cast<uintptr_t>(&on_ending);
    if (replaced.handler != reinterpret_cast<uintptr_t>(&on_signal))
        old = was_default ? Action{} : replaced;
    return result;
}

}  // namespace

long set_action(int signal, const Action* action, Action* old)
{
    if (signal < 1 || signal > last_signal || signal == SIGKILL || signal == SIGSTOP ||
        is_libc_signal(signal))
        return host::call(SYS_rt_sigaction, signal, action, old, sizeof(uint64_t));
    // The program's memory: not under the lock.
    const Action given = action ? *action : Action{};
    Action before{};
    const long result = exchange_action(signal, action ? &given : nullptr, before);
    if (result == 0 && old)
        *old = before;
    return result;
}

void run_sigsys_of_program(siginfo_t* info, void* context)
{
    if (wanted[SIGSYS].handler.load() > 1)
        return run_handler(SIGSYS, info, context);
    // As if there was no handler: the default action, once this one has returned.
    take_default(SIGSYS);
}

bool is_raised_here(int signal, const ucontext_t& context)
{
    const greg_t* const registers = context.uc_mcontext.gregs;
    return registers[REG_RSI] == host::call(SYS_gettid) && registers[REG_RDX] == signal;
}

void take_default(int signal)
{
    // Not that of the process whose memory this is.
    if (fork_mark::is_own_memory())
        take_lock(lock_for_good);
    const Action none{};
    host::call(SYS_rt_sigaction, signal, &none, nullptr, sizeof(uint64_t));
    host::call(SYS_tgkill, host::call(SYS_getpid), host::call(SYS_gettid), signal);
}

long set_mask(int how, const uint64_t* set, uint64_t* old, uint64_t size)
{
    uint64_t filtered = 0;
    if (set)
        filtered = how == SIG_UNBLOCK ? *set : without_sigsys(*set);
    return host::call(SYS_rt_sigprocmask, how, set ? &filtered : nullptr, old, size);
}

bool start_interrupter()
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
    return start_helper("lkl-interrupt", run_interrupter);
}

void write_back_at_end()
{
    const Locked locked;
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

void forked()
{
    lock.store(lock_free);
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
        if (ending::is_by_signal())
            ending::stay_if_begun();
        wait_for_interrupter();
        const uint64_t waiting = this_thread.deferred;
        this_thread.deferred = 0;
        // The handlers run here.
        host::call(SYS_rt_sigprocmask, SIG_UNBLOCK, &waiting, nullptr, sizeof waiting);
    }
}

}  // namespace hijack
