// SPDX-License-Identifier: GPL-2.0-only
// The words of a line, as a shell splits it: blanks between them; '...', "..." and a
// backslash keep what is special. Patterns are for the commands.
#pragma once

#include <string>
#include <vector>

namespace tools::lkl_tool {

// Throws ToolError, ExitCode::usage, where a quote does not end.
std::vector<std::string> split_words(const std::string& line);

}  // namespace tools::lkl_tool
