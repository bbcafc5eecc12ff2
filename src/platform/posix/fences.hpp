// SPDX-License-Identifier: GPL-2.0-only
// Two halves of a fence between threads: a light one for the side that comes often,
// a heavy one for the side that comes seldom.
#pragma once

#include <atomic>

namespace lkl::posix {

// Whether the host lets one thread pass a full barrier for all threads of the
// process, membarrier(2). Asked for and registered when the library is loaded.
extern const bool has_membarrier;

// Partner of heavy_fence(). If thread A stores x, calls light_fence(), loads y, and
// thread B stores y, calls heavy_fence(), loads x, then at least one of the two sees
// the other's store. Free where the host has membarrier(2).
inline void light_fence() noexcept
{
    if (has_membarrier) [[likely]]
        std::atomic_signal_fence(std::memory_order_seq_cst);
    else
        std::atomic_thread_fence(std::memory_order_seq_cst);
}

void heavy_fence() noexcept;

}  // namespace lkl::posix
