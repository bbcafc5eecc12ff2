// SPDX-License-Identifier: GPL-2.0-only
// The kernel's log as a tool uses it: shown (-p), or kept for error messages.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace tools {

// Must outlive the kernel that it listens to. Thread safe.
class KernelLog {
public:
    // show: print each line to standard error as it comes. also: gets the text too,
    // on whichever thread carries the kernel; may be empty.
    explicit KernelLog(bool show, std::function<void(std::string_view)> also = {})
        : show_(show), also_(std::move(also))
    {
    }

    // For lkl::KernelOptions::log.
    std::function<void(std::string_view)> listener();

    // Forgets what came so far.
    void clear();
    // What the log says about a failure since clear(): of its last few lines that
    // name `subject` ("vda"), or of the last few at all, the first that speaks of
    // an error, since what follows that are consequences. Without its time stamp;
    // may be empty.
    std::string explanation(std::string_view subject) const;
    // The first line since clear() that begins so, without level and time; may be empty.
    std::string line(std::string_view start) const;

private:
    void add(std::string_view text);
    void add_line(std::string_view line);

    const bool show_;
    const std::function<void(std::string_view)> also_;
    mutable std::mutex lock_;
    std::string lines_;  // each ended by a newline; the end of the log
};

// The line of a crashed kernel's log (lkl::Kernel::panic_message()) that says
// why it crashed.
std::string panic_reason(std::string_view log);

}  // namespace tools
