// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/fences.hpp>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lkl::posix {

const bool has_membarrier =
    ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;

void heavy_fence() noexcept
{
    // Cannot fail once registered; the other threads' instructions have been ordered
    // when it returns.
    if (has_membarrier)
        ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    else
        std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace lkl::posix
