// SPDX-License-Identifier: GPL-2.0-only
// Work in a process of its own: one that shuts itself in before it looks at what may be
// crafted, while this one still has other things to do.
#pragma once

#include <functional>
#include <string>

namespace tools {

// Forks; the child calls the function and ends, without running destructors of statics.
// Returns what the function returned. Throws the ToolError that it threw, or
// ExitCode::internal when the child was killed. The child dies with this process, and of
// signals that this process handles. To be called while there is one thread.
std::string run_in_child(const std::function<std::string()>& function);

}  // namespace tools
