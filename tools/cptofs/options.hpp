// SPDX-License-Identifier: GPL-2.0-only
// The command line of cptofs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/mounted_image.hpp"
#include "common/tree/exclude.hpp"
#include "common/tree/rewrite.hpp"

namespace tools::cptofs {

struct Options {
    ImageRequest image;
    std::vector<std::string> sources;  // "-", alone: an archive on standard input
    std::string destination;           // in the image
    Rewrite rewrite;
    ExcludePatterns exclude;
    bool fail_fast = false;
    bool quiet = false;
    bool json = false;
};

// None: --help or --version was asked for and printed. Throws ToolError,
// ExitCode::usage.
std::optional<Options> parse_command_line(int argc, char** argv);

}  // namespace tools::cptofs
