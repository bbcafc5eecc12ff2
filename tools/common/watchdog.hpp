// SPDX-License-Identifier: GPL-2.0-only
// Ends a tool whose kernel hangs: a crafted image may send it round in circles, or have
// it wait for something that will not come.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <lkl/kernel.hpp>

namespace tools {

class Watchdog {
public:
    // Looks once a `period`. Calls hung(), on a thread of its own and once, when at
    // `patience` looks in a row calls of the kernel were under way, none had ended and
    // no disk was at work. Looks are counted, not time: a process that was stopped for a
    // while is not taken for one that hangs. The kernel lives longer.
    Watchdog(const lkl::Kernel& kernel, unsigned patience, std::chrono::milliseconds period,
             std::function<void()> hung);
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog();

private:
    void watch();
    bool stands_still();

    const lkl::Kernel& kernel_;
    const unsigned patience_;
    const std::chrono::milliseconds period_;
    const std::function<void()> hung_;

    lkl::Activity last_;  // the thread's alone

    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace tools
