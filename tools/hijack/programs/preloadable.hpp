// SPDX-License-Identifier: GPL-2.0-only
// Whether a preload library reaches a program.
#pragma once

#include <optional>
#include <string>

namespace hijack::programs {

struct Objection {
    enum class Kind {
        not_there,  // or not to be run
        unknown,    // not to be understood
        left_out,   // it would run without the library
    };

    Kind kind;
    std::string path;  // the program, or the interpreter of a script
    std::string why;
};

// The file as execvp(3) finds it; empty: there is none.
std::string look_up(const std::string& name);

// Left out it is of programs that are linked statically, or not for x86-64, and of those
// with more rights than the caller's, whose loader is told by the kernel not to trust its
// environment. A script's interpreter is looked at in its place.
std::optional<Objection> objection(const std::string& path);

}  // namespace hijack::programs
