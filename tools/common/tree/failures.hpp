// SPDX-License-Identifier: GPL-2.0-only
// What becomes of single files while a tree is copied: what goes wrong is told at once,
// counted, and answered for at the end.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "common/report.hpp"
#include "common/tree/copy_result.hpp"

namespace tools {

// Any thread.
class Failures {
public:
    // fail_fast: the first failure ends all, but for those of the errno `endured`. quiet: no
    // warnings are told. result: where all is listed, and who makes files counts them; kept.
    Failures(bool fail_fast, bool quiet, CopyResult* result = nullptr, int endured = 0)
        : fail_fast_(fail_fast), quiet_(quiet), result_(result), endured_(endured)
    {
    }

    // A file was not copied as it is. Throws the error when nothing can follow it.
    void add(const ToolError& error);

    // The same for a source as a whole, which does not exist or is of the wrong kind.
    void add_source(const ToolError& error);
    // Of a source there is something to copy.
    void found_source() { found_ = true; }

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

    // Throws ToolError when there were failures: ExitCode::incomplete; or, without a text,
    // the code of all of them, when they are alike and no source was found.
    void throw_if_any() const;

private:
    const bool fail_fast_;
    const bool quiet_;
    CopyResult* const result_;
    const int endured_;
    std::atomic<uint64_t> count_ = 0;
    std::atomic<bool> found_ = false;
    std::atomic<uint64_t> source_count_ = 0;  // of the failures
    std::optional<ExitCode> source_code_;     // lock_; incomplete: they differ
    std::mutex lock_;
    std::set<std::string> warned_;
};

}  // namespace tools
