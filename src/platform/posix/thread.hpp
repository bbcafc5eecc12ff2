// SPDX-License-Identifier: GPL-2.0-only
// Threads of back ends.
#pragma once

#include <pthread.h>

namespace lkl::posix {

// Starts a thread that is to be joined, with a name of at most 15 bytes. All its signals
// are blocked, so that the program's handlers never run on it. Needs little stack: it may
// be called on a kernel stack. Returns 0 or an errno.
int start_thread(pthread_t& thread, const char* name, void* (*function)(void*),
                 void* argument) noexcept;

}  // namespace lkl::posix
