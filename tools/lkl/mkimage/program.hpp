// SPDX-License-Identifier: GPL-2.0-only
// A program of the system that does a part of the work.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "common/descriptor.hpp"

namespace tools::mkimage {

// The path of a program, in PATH or where those of root are (/usr/local/sbin, /usr/sbin,
// /sbin). Throws ToolError, ExitCode::program, that names Debian's package.
std::string find_program(std::string_view name, std::string_view package);

// One run of it. What it prints is kept, in the C locale; it has no input unless one is
// given, and dies with this process.
class Program {
public:
    struct Start {
        std::vector<std::string> command;      // path first
        std::vector<int> kept;                 // descriptors that it has under their numbers
        int input = -1;                        // its standard input; -1: none
        std::vector<std::string> environment;  // "NAME=value", beside this process's own
    };
    // Throws ToolError, ExitCode::internal.
    explicit Program(const Start& start);
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program();  // ends it

    // Waits for its end. Throws ToolError, ExitCode::program, with what it said last,
    // where it failed; shown: of what, for messages.
    void wait(const std::string& shown);

private:
    std::string name_;
    Descriptor output_;  // all that it prints
    pid_t process_ = -1;
};

}  // namespace tools::mkimage
