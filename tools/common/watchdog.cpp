// SPDX-License-Identifier: GPL-2.0-only
#include "common/watchdog.hpp"

#include <algorithm>
#include <utility>

using std::chrono::duration_cast;
using std::chrono::seconds;

namespace tools {

Watchdog::Watchdog(const lkl::Kernel& kernel, unsigned patience, std::chrono::milliseconds period,
                   std::function<void(const std::string& seen)> hung)
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
    std::string seen;
    std::unique_lock lock(mutex_);
    for (unsigned looks = 0; seen.empty();) {
        if (wake_.wait_for(lock, period_, [this] { return ending_; }))
            return;
        const lkl::Activity now = kernel_.activity();
        const lkl::Activity before = std::exchange(last_, now);
        if (now.calls_under_way == 0 || now.calls_ended != before.calls_ended) {
            bytes_before_ = now.disk_bytes;
            looks = 0;
        } else if (now.disk_requests_under_way > 0 || now.disk_requests != before.disk_requests) {
            // A disk that is removed takes its numbers along.
            bytes_before_ = std::min(bytes_before_, now.disk_bytes);
            if (goes_round(now))
                seen = "no call has ended while the disks were read " + std::to_string(rounds) +
                       " times over";
            looks = 0;
        } else if (++looks == patience_) {
            seen = "for " + std::to_string(duration_cast<seconds>(patience_ * period_).count()) +
                   " seconds no call has ended, and no disk was at work";
        }
    }
    lock.unlock();
    hung_(seen);
}

bool Watchdog::goes_round(const lkl::Activity& now) const
{
    return (now.disk_bytes - bytes_before_) / rounds > now.disk_size + smallest;
}

}  // namespace tools
