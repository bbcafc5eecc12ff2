// SPDX-License-Identifier: GPL-2.0-only
// A kernel whose signals call a handler that notes what it saw.
#pragma once

#include <atomic>
#include <thread>

#include <pthread.h>

#include <lkl/asm/siginfo.h>
#include <lkl/asm/signal.h>

#include "boot/time.hpp"

namespace lkl::test {

// What the handlers saw.
inline std::atomic<int> handled{0};
inline std::atomic<int> handled_signal{0};
inline std::atomic<int> handled_code{0};
inline std::atomic<long> handled_value{0};
inline std::atomic<pthread_t> handled_by{};

inline void handler(int signal, lkl_siginfo_t* info, void*)
{
    handled_signal = signal;
    handled_code = info->si_code;
    handled_value = info->lkl_si_value.sival_int;
    handled_by = ::pthread_self();
    ++handled;
}

class Signals : public Time {
protected:
    void SetUp() override
    {
        handled = 0;
        handled_signal = 0;
    }
    long install(int signal, void (*function)(int, lkl_siginfo_t*, void*), unsigned long flags = 0)
    {
        struct lkl_sigaction action {};
        action.lkl_sa_handler =
            reinterpret_cast<__lkl__sighandler_t>(reinterpret_cast<void*>(function));
        action.sa_flags = flags | LKL_SA_SIGINFO;
        return kernel.syscall(__lkl__NR_rt_sigaction, signal, &action, nullptr, 8);
    }
    long block(int signal, bool blocked = true)
    {
        const unsigned long set = 1ul << (signal - 1);
        return kernel.syscall(__lkl__NR_rt_sigprocmask, blocked ? LKL_SIG_BLOCK : LKL_SIG_UNBLOCK,
                              &set, nullptr, 8);
    }
    long send(long tid, int signal) { return kernel.syscall(__lkl__NR_tgkill, 1, tid, signal); }
    long alarm_in(nanoseconds first, nanoseconds then = 0ns)
    {
        const auto to_timeval = [](nanoseconds ns) {
            return __lkl__kernel_old_timeval{ns.count() / 1'000'000'000,
                                             ns.count() % 1'000'000'000 / 1000};
        };
        struct __lkl__kernel_old_itimerval value {
            to_timeval(then), to_timeval(first)
        };
        return kernel.syscall(__lkl__NR_setitimer, 0 /* ITIMER_REAL */, &value, nullptr);
    }
    // Until a thread sleeps in its call.
    void wait_until_asleep(long tid)
    {
        calls.mount_at("proc", "/proc");
        // A task whose thread is out of the kernel is 'S' as well.
        char state = 0;
        for (int i = 0; i < 30'000 && state != 'S'; ++i) {
            if (kernel.activity().calls_under_way != 0)
                state = calls.task_state(tid);
            if (state != 'S')
                std::this_thread::sleep_for(1ms);
        }
        EXPECT_EQ(state, 'S');
    }
};

}  // namespace lkl::test
