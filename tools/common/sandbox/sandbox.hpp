// SPDX-License-Identifier: GPL-2.0-only
// A tool shuts itself in before it looks at an image: whoever makes the code in this
// process misbehave by a crafted image finds that it can do next to nothing.
// docs/security.md says what holds and what does not.
#pragma once

#include <string>
#include <vector>

namespace tools {

// What a tool still needs; all else is given up. Descriptors that are open stay open, and
// lead to what they have led to. What rights are needed follows from it.
struct SandboxRules {
    bool off = false;  // --no-sandbox

    // Files, and directories with all below them, to be read with their attributes.
    std::vector<std::string> read;
    // Directories below which everything may be made, changed and removed; devices are made
    // where none can be opened (devices.hpp).
    std::vector<std::string> write;
    // Directories in which files may be renamed and removed.
    std::vector<std::string> rename;
    // An archive is read: users, locales and charsets are looked up in the host's files.
    bool read_archive = false;
    // Requests of FUSE are answered: who asks is looked up in /proc.
    bool serve_fuse = false;
    // Each thread has a connection of its own (/dev/fuse).
    bool clone_fuse = false;
};

// Cannot be undone, and holds for threads that are started later: to be called while
// there is one alone. Paths that do not exist are left out. Says so on standard error if
// `off`. Throws ToolError, ExitCode::internal: then nothing may be read.
void enter_sandbox(const SandboxRules& rules);

}  // namespace tools
