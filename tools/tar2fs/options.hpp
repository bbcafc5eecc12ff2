// SPDX-License-Identifier: GPL-2.0-only
// The command line of tar2fs.
#pragma once

#include <optional>
#include <string>

#include "common/mounted_image.hpp"
#include "common/tar/archive_reader.hpp"

namespace tools::tar2fs {

struct Options {
    ImageRequest image;
    std::string archive;  // "-": standard input
    ArchiveOptions members;
    bool fail_fast = false;
    bool quiet = false;
    bool json = false;
};

// None: --help or --version was asked for and printed. Throws ToolError,
// ExitCode::usage.
std::optional<Options> parse_command_line(int argc, char** argv);

}  // namespace tools::tar2fs
