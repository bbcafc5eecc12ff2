// SPDX-License-Identifier: GPL-2.0-only
// Waiting for a back end, which may depend on somebody that reaps.
#pragma once

#include <condition_variable>
#include <mutex>

#include <poll.h>

#include <lkl/block.hpp>

namespace lkl::virtio {

// How long a wait goes on before it looks again by itself. Only for the case that
// another thread has taken the event this one waits for.
constexpr int wait_milliseconds = 10;

// Waits until `done()`, which completions make true with the lock's mutex held, and then
// notify `changed`. `reap` completes what the back end has finished; it runs without the
// lock.
template <typename Done, typename Reap>
void wait_for_completions(const BlockBackend& backend, std::unique_lock<std::mutex>& lock,
                          std::condition_variable& changed, Done done, Reap reap) noexcept
{
    while (!done()) {
        const int fd = backend.poll_fd();
        if (fd < 0) {
            changed.wait(lock);
            continue;
        }
        // Nobody else may be there to look after the back end: do it here.
        lock.unlock();
        pollfd event{fd, POLLIN, 0};
        ::poll(&event, 1, wait_milliseconds);
        reap();
        lock.lock();
    }
}

}  // namespace lkl::virtio
