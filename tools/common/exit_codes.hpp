// SPDX-License-Identifier: GPL-2.0-only
// The exit codes of all tools. Each manual page lists them under EXIT STATUS;
// their meaning does not change.
#pragma once

namespace tools {

enum class ExitCode : int {
    ok = 0,
    usage = 1,        // the command line is wrong
    image = 2,        // the image cannot be opened or read, or is no disk image
    file_system = 3,  // no file system, or one that is not known or not supported
    partition = 4,    // no such partition, or one has to be named
    damaged = 5,      // the file system is damaged: mounting or reading it failed
    output = 6,       // the output cannot be created or written
    kernel = 7,       // the kernel did not start, or crashed
    path = 8,         // a path does not exist or is of the wrong kind
    internal = 9,     // out of memory, or our own bug
    incomplete = 10,  // some files were not copied; each was named
    archive = 11,     // the archive cannot be read, or is none
    program = 12,     // another program that is needed is not there, or has failed
};

}  // namespace tools
