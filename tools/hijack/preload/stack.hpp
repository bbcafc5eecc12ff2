// SPDX-License-Identifier: GPL-2.0-only
// The process's network stack: our kernel. It starts at the first call that needs it, so
// that a shell which only starts other programs has none.
//
// One process of a run (a set of processes with the same LKL_RUN_ID) has it at a time: its
// addresses and devices are there once.
#pragma once

#include <atomic>

#include <lkl/kernel.hpp>

#include "hijack/preload/host.hpp"
#include "hijack/preload/thread.hpp"

namespace hijack::stack {

enum class State : int {
    none,    // not started yet
    up,      // calls go to it
    failed,  // it did not start; said on standard error
    lost,    // this process was forked: it is the parent's
    ended,   // the process is about to exit
};

// Read by any thread; changed under a mutex, from none to up or failed, and in a forked
// child, which has one thread.
extern std::atomic<State> state;

// The kernel while state is up; it stays for the rest of the process.
extern lkl::Kernel* kernel;

inline bool is_up()
{
    return state.load(std::memory_order_acquire) == State::up;
}

// Starts it if need be. 0, or -ENETDOWN.
int start();

inline bool is_lost()
{
    return state.load(std::memory_order_acquire) == State::lost;
}

inline bool is_ended()
{
    return state.load(std::memory_order_acquire) == State::ended;
}

// 0, or -ENETDOWN where this process has none, after the reason was told; never returns to a
// thread of the program once the process is about to exit, which must not see that its network
// has gone before.
int check();

// A call of our kernel. The caller is Inside. Arguments and result as the kernel's own;
// -ENETDOWN where there is none.
long call_with(long number, const long* args);

template <typename... Args>
long call(long number, Args... args)
{
    static_assert(sizeof...(Args) <= 6);
    const long values[6] = {host::to_long(args)...};
    return call_with(number, values);
}

// Of lkl-end, when the process ends by itself (ending.hpp): what is in send buffers gets on its
// way, images are unmounted, then the kernel stops. False: not all that was written is in an
// image, which was told.
bool halt();

// Around fork(), and in its child.
void forking();
void fork_made();
void forked();
// In a child of a call that nobody was told of (fork_mark.hpp). The caller is not Inside.
void forked_unseen();

}  // namespace hijack::stack
