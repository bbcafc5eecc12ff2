// SPDX-License-Identifier: GPL-2.0-only
// Whether this process was forked by a call that runs no handlers of pthread_atfork(3), as
// _Fork(3) or a clone(2) of the program's own: a byte that the host wipes in every child
// with memory of its own.
#pragma once

namespace hijack::fork_mark {

extern const volatile char* byte;

// Once, while the program has one thread. Before, no process is taken for a forked one.
void prepare();

// For every call: one look at memory.
inline bool is_wiped()
{
    return *byte == 0;
}

// In a child that knows what it is.
void set();

// Whether this process is the one whose memory this is: not a child that works on its
// parent's (CLONE_VM), whatever Thread it has.
bool is_own_memory();

}  // namespace hijack::fork_mark
