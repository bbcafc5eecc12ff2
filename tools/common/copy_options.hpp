// SPDX-License-Identifier: GPL-2.0-only
// The options of all that copies trees: what is left out, and what becomes different.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/tree/exclude.hpp"
#include "common/tree/rewrite.hpp"

namespace tools {

// Must outlive the parse of the command line.
class CopyOptions {
public:
    // -x
    void add_exclude(CLI::App& app, ExcludePatterns& exclude);
    // --owner --map-users --chmod --no-xattrs --fail-fast
    void add_rewrite(CLI::App& app, Rewrite& rewrite, bool& fail_fast);

    // After the parse: fills in what was given. Throws ToolError, ExitCode::usage.
    void take();

private:
    void take_rewrite();

    ExcludePatterns* exclude_ = nullptr;
    std::vector<std::string> patterns_;
    Rewrite* rewrite_ = nullptr;
    std::string owner_;
    std::vector<std::string> ids_;
    std::string mode_;
    bool no_attributes_ = false;
};

}  // namespace tools
