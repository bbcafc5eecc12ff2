// SPDX-License-Identifier: GPL-2.0-only
// What becomes of single files while a tree is copied: what goes wrong is told at once,
// counted, and answered for at the end.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>

#include "common/report.hpp"
#include "common/tree/copy_result.hpp"

namespace tools {

// Any thread.
class Failures {
public:
    // fail_fast: the first failure ends all. quiet: no warnings are told. result: where all
    // is listed, and who makes files counts them; kept.
    Failures(bool fail_fast, bool quiet, CopyResult* result = nullptr)
        : fail_fast_(fail_fast), quiet_(quiet), result_(result)
    {
    }

    // A file was not copied as it is. Throws the error when nothing can follow it.
    void add(const ToolError& error);

    // Something is left out that does not count as a failure; told for the first
    // file of its kind.
    void warn_once(const std::string& kind, const std::string& text);
    // The same, told each time.
    void warn(const std::string& text) const;

    // A file is in its place.
    void count(EntryType type) const
    {
        if (result_ != nullptr)
            result_->add_file(type);
    }
    // So many bytes of its data.
    void count_bytes(uint64_t bytes) const
    {
        if (result_ != nullptr)
            result_->add_bytes(bytes);
    }

    // Throws ToolError, ExitCode::incomplete, when there were failures.
    void throw_if_any() const;

private:
    const bool fail_fast_;
    const bool quiet_;
    CopyResult* const result_;
    std::atomic<uint64_t> count_ = 0;
    std::mutex lock_;
    std::set<std::string> warned_;
};

}  // namespace tools
