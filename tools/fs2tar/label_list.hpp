// SPDX-License-Identifier: GPL-2.0-only
// The list of SELinux labels (-s): a line "PATH LABEL" for each file that has
// one. A path with a newline, another control character, a backslash or bytes
// that are not UTF-8 is written with "\\" and "\nnn" (octal), so that a line is
// always a line.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "common/destination.hpp"

namespace tools::fs2tar {

class LabelList {
public:
    // image: is refused as the path. Throws ToolError, ExitCode::output or ExitCode::usage; so
    // do the others.
    LabelList(const std::string& path, const std::string& image);

    const Destination& destination() const { return destination_; }

    // path: as in the archive.
    void add(std::string_view path, std::string_view label);
    // All lines are there: the file gets its name.
    void commit();

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    [[noreturn]] void fail() const;

    Destination destination_;
    std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace tools::fs2tar
