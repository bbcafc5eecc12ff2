// SPDX-License-Identifier: GPL-2.0-only
// A process ends with its last thread, as after pthread_exit(3) in main(): libc then calls exit(3).
// It counts this library's threads as well, which do not end; so the library counts those of the
// program.
#pragma once

namespace hijack::last_thread {

// A thread is about to be made; it was not.
void announce();
void take_back();

// Of each thread that was announced, and of the first one, when it begins.
void begin();

// In a child of fork().
void forked();

}  // namespace hijack::last_thread
