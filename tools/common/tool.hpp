// SPDX-License-Identifier: GPL-2.0-only
// The frame of each tool's main(): what ends it, and how that is told.
#pragma once

#include <functional>

namespace tools {

// Calls the function and reports what it throws, unless that has no text; returns the
// exit code. A reader of
// standard output that goes away is an error like others.
int run_tool(const char* name, const std::function<void()>& function);

}  // namespace tools
