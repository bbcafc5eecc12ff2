// SPDX-License-Identifier: GPL-2.0-only
// The command line of fs2tar.
#pragma once

#include <optional>
#include <string>

#include "common/mounted_image.hpp"
#include "common/tar/byte_sink.hpp"
#include "common/tree/exclude.hpp"

namespace tools::fs2tar {

struct Options {
    ImageRequest image;
    std::string archive;  // "-": standard output
    Compression compression = Compression::none;
    std::string subdirectory;  // of the file system: what is archived; empty: all
    ExcludePatterns exclude;
    std::string label_file;  // empty: none wanted
    bool quiet = false;
    bool json = false;
};

// None: --help or --version was asked for and printed. Throws ToolError,
// ExitCode::usage.
std::optional<Options> parse_command_line(int argc, char** argv);

}  // namespace tools::fs2tar
