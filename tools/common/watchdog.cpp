// SPDX-License-Identifier: GPL-2.0-only
#include "common/watchdog.hpp"

#include <utility>

namespace tools {

Watchdog::Watchdog(const lkl::Kernel& kernel, unsigned patience, std::chrono::milliseconds period,
                   std::function<void()> hung)
    : kernel_(kernel),
      patience_(patience),
      period_(period),
      hung_(std::move(hung)),
      thread_([this] { watch(); })
{
}

Watchdog::~Watchdog()
{
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Watchdog::watch()
{
    std::unique_lock lock(mutex_);
    for (unsigned looks = 0; looks < patience_;) {
        if (wake_.wait_for(lock, period_, [this] { return ending_; }))
            return;
        looks = stands_still() ? looks + 1 : 0;
    }
    lock.unlock();
    hung_();
}

bool Watchdog::stands_still()
{
    const lkl::Activity now = kernel_.activity();
    const lkl::Activity before = std::exchange(last_, now);
    return now.calls_under_way > 0 && now.calls_ended == before.calls_ended &&
           now.disk_requests_under_way == 0 && now.disk_requests == before.disk_requests;
}

}  // namespace tools
