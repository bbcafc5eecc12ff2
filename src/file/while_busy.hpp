// SPDX-License-Identifier: GPL-2.0-only
// Calls that are made again while something is in use.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#include <lkl/asm/errno.h>

namespace lkl::file {

// The first result of `attempt` that is not -EBUSY, or the one when the time is over.
template <typename Attempt>
long while_busy(std::chrono::milliseconds timeout, Attempt attempt)
{
    using clock = std::chrono::steady_clock;
    const clock::time_point deadline = clock::now() + timeout;
    std::chrono::milliseconds pause{1};
    for (;;) {
        const long result = attempt();
        if (result != -LKL_EBUSY || clock::now() >= deadline)
            return result;
        // Nothing tells when the last file is closed; ask again, less and less often.
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds{50});
    }
}

}  // namespace lkl::file
