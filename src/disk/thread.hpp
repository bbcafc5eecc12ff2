// SPDX-License-Identifier: GPL-2.0-only
// Threads of the disk engines.
#pragma once

#include <chrono>

#include <pthread.h>

namespace lkl::disk {

// A thread without work ends after this time; the next request starts another.
constexpr std::chrono::seconds thread_linger{2};

// Starts a thread that is to be joined. All its signals are blocked, so that the
// program's handlers never run on it. Needs little stack: it may be called on a
// kernel stack. Returns 0 or an errno.
int start_thread(pthread_t& thread, void* (*function)(void*), void* argument) noexcept;

}  // namespace lkl::disk
