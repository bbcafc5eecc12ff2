// SPDX-License-Identifier: GPL-2.0-only
// The command line of lklfuse.
#pragma once

#include <optional>
#include <string>

#include <fuse_opt.h>

#include "common/mounted_image.hpp"

namespace tools::lklfuse {

// libfuse's vector of arguments, which it frees.
struct FuseArguments {
    struct fuse_args args = FUSE_ARGS_INIT(0, nullptr);

    FuseArguments() = default;
    FuseArguments(const FuseArguments&) = delete;
    FuseArguments& operator=(const FuseArguments&) = delete;
    ~FuseArguments() { fuse_opt_free_args(&args); }
};

struct Options {
    ImageRequest image;
    std::string mount_point;  // absolute
    std::string log_file;     // empty: none
    std::string lock_file;    // empty: none
    bool foreground = false;
    bool debug = false;
    bool quiet = false;  // no notes
    bool single_thread = false;
    bool clone_fd = false;
    unsigned max_threads = 0;  // 0: as many as suit
    FuseArguments fuse;        // what is libfuse's own
};

// False: --help or --version was asked for and printed. Throws ToolError,
// ExitCode::usage; ExitCode::output for a mount point that is none.
bool parse_command_line(int argc, char** argv, Options& options);

}  // namespace tools::lklfuse
