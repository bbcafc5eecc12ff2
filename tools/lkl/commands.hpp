// SPDX-License-Identifier: GPL-2.0-only
// The table of all subcommands.
#pragma once

#include <memory>
#include <span>

#include "lkl/command.hpp"

namespace tools::lkl_tool {

struct CommandEntry {
    const char* name;
    // The command's object points into itself and stays where it is.
    std::unique_ptr<Command> (*add)(CLI::App& parent);
};

// In the order of --help.
std::span<const CommandEntry> all_commands();

}  // namespace tools::lkl_tool
