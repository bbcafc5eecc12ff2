// SPDX-License-Identifier: GPL-2.0-only
// The command line of cpfromfs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/mounted_image.hpp"
#include "common/tree/exclude.hpp"
#include "common/tree/rewrite.hpp"

namespace tools::cpfromfs {

struct Options {
    ImageRequest image;
    std::vector<std::string> sources;  // in the image
    std::string destination;           // "-": a tar archive on standard output
    Rewrite rewrite;
    ExcludePatterns exclude;
    bool fail_fast = false;
    bool quiet = false;
    bool json = false;
};

// None: --help or --version was asked for and printed. Throws ToolError,
// ExitCode::usage.
std::optional<Options> parse_command_line(int argc, char** argv);

}  // namespace tools::cpfromfs
