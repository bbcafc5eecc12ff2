// SPDX-License-Identifier: GPL-2.0-only
// Syscall user dispatch: system calls that are made past our functions, by an instruction
// of the program's or inside of libc (the resolver, stdio, posix_spawn()), come to us as
// SIGSYS, and run like the others.
//
// All code of the process but this library's is dispatched. The host clears it for new
// threads and processes, so that each thread of the program asks for it when it begins, or
// with the first call by one of our functions where it began without us; the library's own
// threads do not. Inside of the library the thread's selector lets calls pass that libc
// makes for it.
#pragma once

#include "hijack/preload/thread.hpp"

namespace hijack::dispatch {

// Once, before threads: finds this library's code and takes SIGSYS. False: the host's
// kernel has no such thing (before 5.11), and what goes past libc's functions goes to the
// host.
bool prepare();

// For the calling thread, if prepare() succeeded.
void enter();

// The same for one that nobody knew of.
inline void enter_late()
{
    if (!this_thread.asked) [[unlikely]]
        enter();
}

}  // namespace hijack::dispatch
