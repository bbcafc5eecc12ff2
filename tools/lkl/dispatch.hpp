// SPDX-License-Identifier: GPL-2.0-only
// From the words of a command line to the subcommand that they name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/kernel_trace.hpp"

namespace tools::lkl_tool {

// Runs the subcommand. words: all behind the program's name. trace: sees what the kernels of
// the command do; may be none. Throws ToolError.
void dispatch(std::vector<std::string> words, const std::shared_ptr<KernelTrace>& trace = {});

}  // namespace tools::lkl_tool
