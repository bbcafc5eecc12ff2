// SPDX-License-Identifier: GPL-2.0-only
// Threads of the disk engines.
#pragma once

#include <chrono>

#include <platform/posix/thread.hpp>

namespace lkl::disk {

// A thread without work ends after this time; the next request starts another.
constexpr std::chrono::seconds thread_linger{2};

inline int start_thread(pthread_t& thread, void* (*function)(void*), void* argument) noexcept
{
    return posix::start_thread(thread, "lkl-disk", function, argument);
}

}  // namespace lkl::disk
