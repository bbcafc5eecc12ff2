// SPDX-License-Identifier: GPL-2.0-only
// Threads of this library. They handle no signal of the program, and all their calls are
// the host's.
#pragma once

#include <functional>

namespace hijack {

// The thread runs until the process ends. The name has at most 15 bytes. The caller is
// Inside. False: the host has no thread left.
bool start_helper(const char* name, std::function<void()> function);

}  // namespace hijack
