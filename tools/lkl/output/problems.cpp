// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/output/problems.hpp"

namespace tools::lkl_tool {

void Problems::add(const ToolError& error)
{
    // Without a kernel, or without anybody who reads, nothing more can come.
    if (error.code() == ExitCode::kernel || error.code() == ExitCode::internal)
        throw error;
    out_.flush();
    report(error.what());
    code_ = !code_ || *code_ == error.code() ? error.code() : ExitCode::incomplete;
}

void Problems::throw_if_any() const
{
    if (code_)
        throw ToolError(*code_, {});
}

}  // namespace tools::lkl_tool
