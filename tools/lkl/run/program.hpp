// SPDX-License-Identifier: GPL-2.0-only
// The program that `lkl run` starts, and whether a preload library reaches it.
#pragma once

#include <string>

namespace tools::run {

// Finds it as execvp(3) does. Throws ToolError, ExitCode::path, if it is not there or no
// program, and ExitCode::usage with the reason if its network cannot be ours: it is linked
// statically, or of another architecture, or gets more rights than its caller has, for
// which the loader leaves LD_PRELOAD out. A script's interpreter is looked at in its place.
std::string find_program(const std::string& name);

}  // namespace tools::run
