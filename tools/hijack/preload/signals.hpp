// SPDX-License-Identifier: GPL-2.0-only
// The program's signal handlers, and calls of our kernel that a signal interrupts.
//
// A handler of the program must not run while its thread is in our kernel: it could call
// it again, on the kernel's stack, in the middle of a call. So each handler stands behind
// one of ours. Out of the kernel that calls the program's at once. Else it sends the signal
// to the thread once more, with the same information, blocks it, and has the thread's call
// interrupted. When the thread is out of the kernel it takes the block away, and the host
// delivers the signal in its own way: mask, alternate stack and flags are its matter.
//
// The handler itself cannot interrupt the call, which is one of our kernel's signals to the
// thread's task. A helper thread does it, asked by a pipe. Proof that no call stays blocked:
// the helper's signal is pending for the task from then on, whatever it does, and a blocking
// call looks for it before it sleeps. Proof that no later call is interrupted for it: the
// thread waits for the helper before it leaves the library (run_deferred()), and makes one
// call that takes the signal.
#pragma once

#include <csignal>
#include <cstdint>

#include <ucontext.h>

namespace hijack::signals {

// The kernel's structure for rt_sigaction(2).
struct Action {
    uintptr_t handler;
    uint64_t flags;
    uintptr_t restorer;
    uint64_t mask;
};

// As rt_sigaction(2); of SIGSYS the program has only what it believes to have while system
// calls are dispatched.
long set_action(int signal, const Action* action, Action* old);

// SIGSYS for another reason than ours.
void run_sigsys_of_program(siginfo_t* info, void* context);

// As rt_sigprocmask(2), without SIGSYS.
long set_mask(int how, const uint64_t* set, uint64_t* old, uint64_t size);

// Starts what interrupts calls. Once, when our kernel has started. The caller is Inside. False:
// the host has no thread left.
bool start_interrupter();

// From now on, a signal that ends the process by default (SIGTERM and its like) has images
// written back first (ending.hpp): with the host's kernel, what was written outlives the process.
// Faults do not: the memory is not to be trusted.
void write_back_at_end();

// The thread stands in the very call that has sent it the signal, as in abort(3), which does not
// come back.
bool is_raised_here(int signal, const ucontext_t& context);

// The host's default action of a signal that ends the process, for the calling thread, as soon as
// that lets the signal in. No handler comes in its place any more.
void take_default(int signal);

// In a child of fork(): another thread of the parent may have been changing handlers.
void forked();

// The thread's call of our kernel is to end with EINTR. For handlers too.
void interrupt_self();

// True once after a call that was interrupted for handlers which want it to be restarted.
bool take_restart();

}  // namespace hijack::signals
