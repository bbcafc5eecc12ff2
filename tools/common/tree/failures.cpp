// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/failures.hpp"

namespace tools {

void Failures::add(const ToolError& error)
{
    const bool endured = endured_ != 0 && error.cause() == endured_;
    if ((fail_fast_ && !endured) || error.code() == ExitCode::kernel)
        throw error;
    report(error.what());
    if (result_ != nullptr)
        result_->add_failure(error);
    count_++;
}

void Failures::add_source(const ToolError& error)
{
    add(error);
    source_count_++;
    const std::lock_guard guard(lock_);
    source_code_ =
        source_code_.value_or(error.code()) == error.code() ? error.code() : ExitCode::incomplete;
}

void Failures::warn_once(const std::string& kind, const std::string& text)
{
    {
        const std::lock_guard guard(lock_);
        if (!warned_.insert(kind).second)
            return;
    }
    warn(text + " (told once)");
}

void Failures::warn(const std::string& text) const
{
    if (!quiet_)
        report(text);
    if (result_ != nullptr)
        result_->add_warning(text);
}

void Failures::throw_if_any() const
{
    const uint64_t count = count_;
    if (count > 0 && !found_ && source_count_ == count && source_code_ != ExitCode::incomplete)
        throw ToolError(*source_code_, {});
    if (count > 0)
        throw ToolError(
            ExitCode::incomplete,
            std::to_string(count) + (count == 1 ? " failure: not everything was copied"
                                                : " failures: not everything was copied"));
}

}  // namespace tools
