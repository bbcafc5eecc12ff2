// SPDX-License-Identifier: GPL-2.0-only
// Signal masks, as the host's kernel has them: 64 bits.
#pragma once

#include <csignal>
#include <cstdint>

#include "hijack/preload/host.hpp"
#include "hijack/preload/thread.hpp"

namespace hijack {

constexpr uint64_t bit_of(int signal)
{
    return 1ull << (signal - 1);
}

// SIGSYS is how system calls reach us, and a blocked one would kill the program.
inline uint64_t without_sigsys(uint64_t mask)
{
    return mask & ~bit_of(SIGSYS);
}

// libc's own two (SIGCANCEL, SIGSETXID), whose handlers know nothing of us and make no calls
// that are ours. To who uses libc there are no such signals.
inline constexpr int first_libc_signal = 32, last_libc_signal = 33;
inline constexpr uint64_t libc_signals = bit_of(first_libc_signal) | bit_of(last_libc_signal);

// What may be blocked for a while without harm: not what comes of an instruction.
inline constexpr uint64_t all_but_faults =
    ~(bit_of(SIGSEGV) | bit_of(SIGBUS) | bit_of(SIGFPE) | bit_of(SIGILL) | bit_of(SIGTRAP) |
      bit_of(SIGSYS) | libc_signals);

inline bool is_libc_signal(int signal)
{
    return signal >= first_libc_signal && signal <= last_libc_signal;
}

// The mask of ppoll(2) and the like while a call of our kernel waits. Handlers that it
// lets in have run when it is taken back, with what it blocks still blocked, as the
// host's kernel does it. The object stands right inside an Inside.
class SignalMask {
public:
    explicit SignalMask(const uint64_t* mask) : given_(mask != nullptr)
    {
        if (!given_)
            return;
        // What has come up to here came before the call; our block of it is not the program's.
        const uint64_t all = without_sigsys(~uint64_t{0});
        host::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
        before_ &= ~this_thread.deferred;
        run_handlers();
        const uint64_t filtered = without_sigsys(*mask);
        host::call(SYS_rt_sigprocmask, SIG_SETMASK, &filtered, nullptr, sizeof filtered);
    }
    ~SignalMask()
    {
        if (!given_)
            return;
        // One that came in between was unblocked by its handler's end.
        do {
            run_handlers();
            host::call(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
        } while ((this_thread.deferred & before_) != 0);
    }
    SignalMask(const SignalMask&) = delete;
    SignalMask& operator=(const SignalMask&) = delete;

    // A signal has come: the call ends with EINTR where nothing is ready.
    bool has_let_in() const { return given_ && this_thread.deferred != 0; }

private:
    static void run_handlers()
    {
        if (this_thread.deferred == 0)
            return;
        const int depth = this_thread.depth;
        if (this_thread.dispatched)
            this_thread.selector = selector_block;
        this_thread.depth = 0;
        run_deferred();
        this_thread.depth = depth;
        this_thread.selector = selector_allow;
    }

    bool given_;
    uint64_t before_ = 0;
};

}  // namespace hijack
