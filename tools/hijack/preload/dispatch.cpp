// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/dispatch.hpp"

#include <cerrno>

#include <link.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "hijack/calls/borrowed.hpp"
#include "hijack/calls/clones.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/calls/signal_mask.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/signals.hpp"
#include "hijack/preload/thread.hpp"

extern "C" void hijack_restorer();

namespace hijack::dispatch {

namespace {

constexpr uint64_t has_restorer = 0x04000000;  // SA_RESTORER
constexpr int by_user_dispatch = 2;            // SYS_USER_DISPATCH, of siginfo_t.si_code
constexpr long syscall_length = 2;             // bytes of the instruction

// This library's code.
struct Code {
    uintptr_t start = 0;
    size_t size = 0;
};
Code code;

int find_code(dl_phdr_info* info, size_t, void*)
{
    const auto here = reinterpret_cast<uintptr_t>(&find_code);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr)& segment = info->dlpi_phdr[i];
        const uintptr_t start = info->dlpi_addr + segment.p_vaddr;
        if (segment.p_type == PT_LOAD && here >= start && here - start < segment.p_memsz) {
            code = {start, segment.p_memsz};
            return 1;
        }
    }
    return 0;
}

// The end of a handler whose restorer is libc's: the frame is the one that its call would
// have used.
[[noreturn]] void return_from_handler(greg_t stack)
{
    asm volatile(
        "mov %0, %%rsp\n\t"
        "mov $15, %%eax\n\t"
        "syscall\n\t"
        "ud2"
        :
        : "r"(stack)
        : "memory");
    __builtin_unreachable();
}

// The call is made once more, by its own instruction, and passes: a new thread, or a
// process on this memory, starts there, on its own stack. Calls of this thread are
// dispatched again when it has been Inside once.
void let_pass(ucontext_t& context)
{
    this_thread.selector = selector_allow;
    context.uc_mcontext.gregs[REG_RIP] -= syscall_length;
}

// A process with memory of its own is made here, and is known for what it is from the
// beginning; on its own stack it is when it returns from this handler.
void run_clone(ucontext_t& context, long number, const long* args)
{
    greg_t* const registers = context.uc_mcontext.gregs;
    if (const int error = calls::refuse_clone(number, args)) {
        registers[REG_RAX] = error;
        return;
    }
    const clones::Request asked = clones::request(number, args);
    if (!clones::copies_memory(asked)) {
        borrowed::lend(asked.flags);
        return let_pass(context);
    }
    registers[REG_RAX] = clones::fork(number, args);
    if (registers[REG_RAX] == 0 && asked.stack != 0)
        registers[REG_RSP] = asked.stack;
}

// The mask that the call changes is the one which counts after this handler.
long change_mask(ucontext_t& context, const long* args)
{
    auto* const mask = reinterpret_cast<uint64_t*>(&context.uc_sigmask);
    const auto* const set = host::to_pointer<const uint64_t>(args[1]);
    auto* const old = host::to_pointer<uint64_t>(args[2]);
    if (args[3] != sizeof *mask)
        return -EINVAL;
    const uint64_t before = *mask;
    if (set) {
        switch (static_cast<int>(args[0])) {
        case SIG_BLOCK:
            *mask |= without_sigsys(*set);
            break;
        case SIG_UNBLOCK:
            *mask &= ~*set;
            break;
        case SIG_SETMASK:
            *mask = without_sigsys(*set);
            break;
        default:
            return -EINVAL;
        }
    }
    if (old)
        *old = before;
    return 0;
}

void on_sigsys(int, siginfo_t* info, void* argument)
{
    auto& context = *static_cast<ucontext_t*>(argument);
    if (info->si_code != by_user_dispatch)
        return signals::run_sigsys_of_program(info, argument);
    const int saved_errno = errno;
    greg_t* const registers = context.uc_mcontext.gregs;
    const long args[6] = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                          registers[REG_R10], registers[REG_R8],  registers[REG_R9]};
    const long number = registers[REG_RAX];
    switch (number) {
    case SYS_rt_sigreturn:
        return_from_handler(registers[REG_RSP]);
    case SYS_clone:
    case SYS_clone3:
    case SYS_fork:
    case SYS_vfork:
        run_clone(context, number, args);
        break;
    case SYS_rt_sigprocmask:
        registers[REG_RAX] = change_mask(context, args);
        break;
    default:
        registers[REG_RAX] = run_call(number, args);
    }
    errno = saved_errno;
}

}  // namespace

bool prepare()
{
    if (!dl_iterate_phdr(find_code, nullptr))
        return false;
    const signals::Action action{reinterpret_cast<uintptr_t>(&on_sigsys),
                                 SA_SIGINFO | SA_NODEFER | has_restorer,
                                 reinterpret_cast<uintptr_t>(&hijack_restorer), 0};
    if (host::call(SYS_rt_sigaction, SIGSYS, &action, nullptr, sizeof action.mask) == 0)
        enter();
    if (this_thread.dispatched)
        return true;
    // No thread asks any more.
    code = {};
    return false;
}

void enter()
{
    if (code.size == 0 || this_thread.internal)
        return;
    const Inside inside;
    this_thread.asked = true;
    // Threads that libc starts for itself have all signals blocked.
    const uint64_t sigsys = 1ull << (SIGSYS - 1);
    host::call(SYS_rt_sigprocmask, SIG_UNBLOCK, &sigsys, nullptr, sizeof sigsys);
    this_thread.dispatched = host::call(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
                                        code.start, code.size, &this_thread.selector) == 0;
}

}  // namespace hijack::dispatch
