// SPDX-License-Identifier: GPL-2.0-only
// Ends a tool whose kernel hangs: a crafted image may send it round in circles, or have
// it wait for something that will not come.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <lkl/kernel.hpp>

namespace tools {

class Watchdog {
public:
    // Looks once a `period`. Calls hung(), on a thread of its own and once, with what it has
    // seen: at `patience` looks in a row calls of the kernel were under way, none had ended
    // and no disk was at work; or, while none ended, the disks have moved `rounds` times
    // what is on them, and more than any call can have to do with them. Looks are counted,
    // not time: a process that was stopped for a while is not taken for one that hangs. The
    // kernel lives longer.
    Watchdog(const lkl::Kernel& kernel, unsigned patience, std::chrono::milliseconds period,
             std::function<void(const std::string& seen)> hung);
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog();

private:
    void watch();
    bool goes_round(const lkl::Activity& now) const;

    static constexpr uint64_t rounds = 16;
    // Bytes, beside those of the disks: a small one may be read anew after each of many
    // changes.
    static constexpr uint64_t smallest = 64 << 20;

    const lkl::Kernel& kernel_;
    const unsigned patience_;
    const std::chrono::milliseconds period_;
    const std::function<void(const std::string&)> hung_;

    // The thread's alone.
    lkl::Activity last_;
    uint64_t bytes_before_ = 0;  // the disks', when a call last ended

    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace tools
