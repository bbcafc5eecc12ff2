// SPDX-License-Identifier: GPL-2.0-only
// What the preload library knows of each thread of the program.
//
// Owner of every member is its thread, and signal handlers on it, unless another one is
// named. `depth` and `selector` are written by plain stores in program order, which is the
// order that a handler on the same thread sees (they are volatile).
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include <linux/prctl.h>

namespace hijack {

// Values of `selector`, see prctl(2), PR_SET_SYSCALL_USER_DISPATCH.
constexpr char selector_allow = 0;
constexpr char selector_block = 1;

struct Thread {
    // > 0: in code of this library that must not be entered again, in the kernel for
    // instance. A handler of the program waits until it is 0 (signals.cpp).
    volatile int depth = 0;
    // Read by the host's kernel at each system call, once `dispatched`.
    volatile char selector = selector_allow;
    bool dispatched = false;
    // It has asked to be dispatched.
    bool asked = false;
    // Started by this library: all its calls are the host's.
    bool internal = false;
    // It starts our kernel, and may call it already.
    bool starting = false;
    // It ends the process, and goes on when our kernel has stopped.
    bool outlives = false;
    // How many mutexes it holds that others wait for (Holding).
    int holds = 0;
    // It is in exec, and images are frozen for it (calls/takeover.hpp).
    volatile bool taken_over = false;

    // The process that it is a thread of, while there may be a child of its on the same
    // memory, which has this structure too (calls/borrowed.hpp), else 0; and whether that
    // process waits until the child has left the memory.
    long lender = 0;
    bool lender_waits = false;

    // Its thread number in our kernel; 0: it has made no call there.
    volatile int kernel_tid = 0;

    // Signals whose handlers wait, one bit each (1 << (signal - 1)); blocked meanwhile.
    volatile uint64_t deferred = 0;
    // They all have SA_RESTART.
    volatile bool restart = false;
    // How often the thread was to be interrupted in our kernel, and how often the
    // interrupter has done so; `interrupted` is the interrupter's, which wakes it by futex.
    volatile uint32_t interrupts_asked = 0;
    uint32_t interrupts_seen = 0;
    std::atomic<uint32_t> interrupts_made{0};
};

// For LD_PRELOAD, so that no allocation is behind it: a handler may use it.
extern thread_local Thread this_thread __attribute__((tls_model("initial-exec")));

// signals.cpp: lets the handlers run that waited. depth is 0.
void run_deferred();

// A mutex that may be held in a call of our kernel: the thread does not stop there while the
// process ends (stack.cpp). The caller is Inside.
class Holding {
public:
    explicit Holding(std::mutex& mutex) : lock_(mutex) { this_thread.holds++; }
    ~Holding() { this_thread.holds--; }
    Holding(const Holding&) = delete;
    Holding& operator=(const Holding&) = delete;

private:
    const std::lock_guard<std::mutex> lock_;
};

// Inside of this library: the program's handlers wait, and system calls that libc makes
// for us are the host's.
class Inside {
public:
    Inside()
    {
        this_thread.depth = this_thread.depth + 1;
        this_thread.selector = selector_allow;
    }
    ~Inside()
    {
        const int depth = this_thread.depth - 1;
        if (depth == 0 && this_thread.dispatched)
            this_thread.selector = selector_block;
        this_thread.depth = depth;
        // A signal up to here is in `deferred`; a later one runs its handler itself.
        if (depth == 0 && this_thread.deferred != 0)
            run_deferred();
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

    // The library, or libc on its behalf, calls a function that is ours.
    static bool already() { return this_thread.depth > 0 || this_thread.internal; }
};

}  // namespace hijack
