// SPDX-License-Identifier: GPL-2.0-only
// The lock of lock=FILE, for whoever starts several mounts.
#pragma once

#include <string>

#include "common/descriptor.hpp"

namespace tools::lklfuse {

// Makes the file if needed, and locks it (flock(2)) until the descriptor is closed.
// Throws ToolError: ExitCode::image when somebody else has the lock, ExitCode::output
// when the file cannot be opened.
Descriptor take_lock(const std::string& path);

}  // namespace tools::lklfuse
