// SPDX-License-Identifier: GPL-2.0-only
// What goes wrong with single files while a tree is copied: told at once, counted,
// and answered for at the end.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>

#include "common/report.hpp"

namespace tools {

// Any thread.
class Failures {
public:
    // fail_fast: the first failure ends all, but for those of the errno `endured`. quiet: no
    // warnings.
    Failures(bool fail_fast, bool quiet, int endured = 0)
        : fail_fast_(fail_fast), quiet_(quiet), endured_(endured)
    {
    }

    // A file was not copied as it is. Throws the error when nothing can follow it.
    void add(const ToolError& error);

    // Something is left out that does not count as a failure; told for the first
    // file of its kind.
    void warn_once(const std::string& kind, const std::string& text);
    // The same, told each time.
    void warn(const std::string& text) const;

    // Throws ToolError, ExitCode::incomplete, when there were failures.
    void throw_if_any() const;

private:
    const bool fail_fast_;
    const bool quiet_;
    const int endured_;
    std::atomic<uint64_t> count_ = 0;
    std::mutex lock_;
    std::set<std::string> warned_;
};

}  // namespace tools
