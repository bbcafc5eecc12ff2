// SPDX-License-Identifier: GPL-2.0-only
// A file without a name, for what is on its way: it goes with its last descriptor.
#pragma once

#include <string>

#include "common/descriptor.hpp"

namespace tools {

// Open for reading and writing, in the file system of the directory, which has room for
// large things. Throws ToolError, ExitCode::output.
Descriptor make_scratch_file(const std::string& directory);

}  // namespace tools
