// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/fault_handler.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

#include <ucontext.h>

namespace lkl::posix {

namespace {

// What the handler reads. A slot is in use when `start` is not 0, which is written
// last and cleared first; nobody runs a code's instructions while its slot changes.
struct Slot {
    std::atomic<uintptr_t> start{0};
    FaultHandler::Code code;
};

std::array<Slot, 256> slots;
std::mutex mutex;  // writers of slots, and the two below
int users = 0;
struct sigaction previous_segv, previous_bus;

// A signal that somebody sent, kill(2) and the like, is no fault of the instruction
// that it came to.
bool is_fault(const siginfo_t& info)
{
    return info.si_code > 0;
}

// The handler that was there before, or the default action.
void pass_on(int signo, siginfo_t* info, void* context)
{
    const struct sigaction& previous = signo == SIGSEGV ? previous_segv : previous_bus;
    if (previous.sa_handler == SIG_IGN && !is_fault(*info))
        return;
    if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        struct sigaction fallback {};
        fallback.sa_handler = SIG_DFL;
        ::sigaction(signo, &fallback, nullptr);
        // A faulting instruction faults again; a signal has to be sent again.
        if (!is_fault(*info))
            ::raise(signo);
    } else if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signo, info, context);
    } else {
        previous.sa_handler(signo);
    }
}

void handle(int signo, siginfo_t* info, void* context)
{
    if (!is_fault(*info))
        return pass_on(signo, info, context);
    greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const auto ip = static_cast<uintptr_t>(registers[REG_RIP]);
    for (const Slot& slot : slots) {
        const uintptr_t start = slot.start.load(std::memory_order_acquire);
        if (start == 0 || ip < start || ip >= slot.code.end)
            continue;
        if (const unsigned long next = slot.code.fixup(ip)) {
            registers[REG_RIP] = static_cast<greg_t>(next);
            return;
        }
        // As if the instruction were a call of oops(address, ip): past the red
        // zone, aligned, the return address pushed.
        const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
        const uintptr_t sp =
            ((static_cast<uintptr_t>(registers[REG_RSP]) - 128) & ~uintptr_t{15}) - sizeof ip;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): it comes in a register
        *reinterpret_cast<uintptr_t*>(sp) = ip;
        registers[REG_RSP] = static_cast<greg_t>(sp);
        registers[REG_RDI] = static_cast<greg_t>(address);
        registers[REG_RSI] = static_cast<greg_t>(ip);
        registers[REG_RIP] = static_cast<greg_t>(reinterpret_cast<uintptr_t>(slot.code.oops));
        return;
    }
    pass_on(signo, info, context);
}

}  // namespace

Result<void> FaultHandler::add(const Code& code)
{
    std::lock_guard lock(mutex);
    if (users == 0) {
        struct sigaction action {};
        action.sa_sigaction = handle;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        ::sigemptyset(&action.sa_mask);
        if (::sigaction(SIGSEGV, &action, &previous_segv) != 0 ||
            ::sigaction(SIGBUS, &action, &previous_bus) != 0)
            return Error{errno, std::string("handling faults: ") + std::strerror(errno)};
    }
    for (size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].start.load(std::memory_order_relaxed) == 0) {
            slots[i].code = code;
            slots[i].start.store(code.start, std::memory_order_release);
            slot_ = static_cast<int>(i);
            ++users;
            return {};
        }
    }
    return Error{EMFILE, "handling faults: too many kernels"};
}

FaultHandler::~FaultHandler()
{
    if (slot_ < 0)
        return;
    std::lock_guard lock(mutex);
    slots[static_cast<size_t>(slot_)].start.store(0, std::memory_order_release);
    if (--users != 0)
        return;
    // Unless somebody else has taken them over since.
    struct sigaction now {};
    if (::sigaction(SIGSEGV, nullptr, &now) == 0 && now.sa_sigaction == handle)
        ::sigaction(SIGSEGV, &previous_segv, nullptr);
    if (::sigaction(SIGBUS, nullptr, &now) == 0 && now.sa_sigaction == handle)
        ::sigaction(SIGBUS, &previous_bus, nullptr);
}

}  // namespace lkl::posix
