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

namespace tools::fs2tar {

class LabelList {
public:
    // Replaces the file. Throws ToolError, ExitCode::output; so do the others.
    explicit LabelList(const std::string& path);

    // path: as in the archive.
    void add(std::string_view path, std::string_view label);
    // All lines are in the file.
    void close();

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    [[noreturn]] void fail() const;

    std::string name_;
    std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace tools::fs2tar
