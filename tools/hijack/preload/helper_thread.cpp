// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/helper_thread.hpp"

#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include <pthread.h>

#include "hijack/calls/signal_mask.hpp"
#include "hijack/preload/host.hpp"

namespace hijack {

bool start_helper(const char* name, std::function<void()> function)
{
    // Inherited: all signals are blocked there but libc's own, by which setuid() and its like
    // wait for every thread.
    const uint64_t all = ~libc_signals;
    uint64_t old = 0;
    host::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all);
    bool started = true;
    try {
        std::thread([name, function = std::move(function)] {
            pthread_setname_np(pthread_self(), name);
            function();
        }).detach();
    } catch (const std::system_error&) {
        started = false;
    }
    host::call(SYS_rt_sigprocmask, SIG_SETMASK, &old, nullptr, sizeof old);
    return started;
}

}  // namespace hijack
