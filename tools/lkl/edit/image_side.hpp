// SPDX-License-Identifier: GPL-2.0-only
// What edit does with the image, in processes of its own that are shut in.
#pragma once

#include <string>

#include "lkl/command.hpp"

namespace tools::lkl_tool {

// Which contents a file had: other ones have another text.
using Version = std::string;

// Copies the file to an open file of the host, and returns its version. Throws ToolError.
Version take_out(const GlobalOptions& options, const std::string& image, const std::string& path,
                 int destination);

// Puts the contents of an open file of the host in the file's place, if that still has
// the version: under another name first, with the same owner, mode and attributes, then
// by rename. On return it is on stable storage. Throws ToolError.
void put_back(const GlobalOptions& options, const std::string& image, const std::string& path,
              int source, const Version& version);

}  // namespace tools::lkl_tool
