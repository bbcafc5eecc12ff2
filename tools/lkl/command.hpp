// SPDX-License-Identifier: GPL-2.0-only
// A subcommand of lkl.
//
// Each is a file commands/NAME.cpp that gives one function,
//     std::unique_ptr<Command> add_NAME(CLI::App& parent);
// which adds the subcommand's description to the command line (Subcommand does it); the
// object keeps what the command line said. The table in commands.cpp names them all.
#pragma once

#include <memory>

#include "common/mounted_image.hpp"
#include "lkl/subcommand.hpp"

namespace tools::lkl_tool {

// What was said before the subcommand's name, or behind it where it has no option of
// that name.
struct GlobalOptions {
    ImageRequest image;  // without a path
    bool quiet = false;
};

class Command {
public:
    Command() = default;
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    virtual ~Command() = default;

    // Called once, when the command line is parsed. Throws ToolError.
    virtual void run() = 0;

    // Before run(). The reference is kept.
    void set_options(const GlobalOptions& options) { options_ = &options; }

protected:
    const GlobalOptions& options() const { return *options_; }

private:
    const GlobalOptions* options_ = nullptr;
};

}  // namespace tools::lkl_tool
