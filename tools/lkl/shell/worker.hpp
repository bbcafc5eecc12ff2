// SPDX-License-Identifier: GPL-2.0-only
// The shell's process that has the image.
#pragma once

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "lkl/command.hpp"
#include "lkl/shell/channel.hpp"

namespace tools::lkl_tool {

// By which a shell is ended, and its terminal closed. They are not for serve().
constexpr std::array ending_signals{SIGHUP, SIGQUIT, SIGTERM};

struct ShellOptions {
    std::string image;
    std::string directory;  // in the image, where it begins; empty: the top
    bool writable = false;
    // The host's directory that get and put reach, with all below it.
    std::string host_directory = ".";
};

// Opens the image, shuts itself in, says "0" and answers requests until the other side
// goes away; then unmounts. SIGINT ends the command that runs. Throws ToolError.
void serve(const GlobalOptions& global, const ShellOptions& options, Channel channel);

// Commands that the shell itself has, for completion and help.
const std::vector<std::string>& builtin_names();

}  // namespace tools::lkl_tool
