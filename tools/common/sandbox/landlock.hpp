// SPDX-License-Identifier: GPL-2.0-only
// Which files the process may still open, make, change and remove, by Landlock
// (landlock(7)).
#pragma once

#include <string>
#include <vector>

namespace tools {

// Paths; those that do not exist are left out.
struct FileAccess {
    std::vector<std::string> read;    // files, and directories with all below; no links
    std::vector<std::string> write;   // directories with all below them
    std::vector<std::string> rename;  // directories: names of files in them alone
    std::vector<std::string> device;  // device files, to be read and written
};

// For the calling thread and those that it starts. Needs no_new_privs. False: the host has
// no Landlock (before Linux 5.19), and nothing was done. With newer ones, connections over
// TCP, signals to other processes and abstract sockets are forbidden as well. Throws
// ToolError, ExitCode::internal.
bool restrict_files(const FileAccess& access);

}  // namespace tools
