// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/output/problems.hpp"

namespace tools::lkl_tool {

void Problems::add(const ToolError& error)
{
    // Without a kernel nothing more can come, and what was said wrong stays wrong.
    if (error.code() == ExitCode::kernel || error.code() == ExitCode::internal ||
        error.code() == ExitCode::usage)
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
