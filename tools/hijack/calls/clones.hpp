// SPDX-License-Identifier: GPL-2.0-only
// New processes and threads by fork(2), vfork(2), clone(2) and clone3(2), where libc's
// fork() and pthread_create() are not behind them.
#pragma once

namespace hijack::clones {

struct Request {
    unsigned long flags = 0;
    long stack = 0;  // where the child begins; 0: where its parent is
};

// What such a call asks for; its arguments as those of the system call.
Request request(long number, const long* args);

// A process with memory of its own. What vfork(2) asks for is one as well: on its parent's
// memory and stack the child would change what the library knows of the parent.
bool copies_memory(const Request& request);

// Makes that process, and the child is told that the stack is its parent's, as after
// fork(3). Both go on where the caller is, whatever stack was asked for.
long fork(long number, const long* args);

// The call, by whichever way is right. The caller is libc's syscall().
long make(long number, const long* args);

}  // namespace hijack::clones
