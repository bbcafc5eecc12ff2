// SPDX-License-Identifier: GPL-2.0-only
// What a tool tells its user: one line an event, on standard error, that begins
// with the tool's name. Names from an image are hostile bytes; they are shown
// with control characters escaped, so that they cannot drive the terminal.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "common/exit_codes.hpp"

namespace tools {

// Ends a tool: main() prints the text and exits with the code. The text reads
// "what: where: why", from the general to the particular, without a newline.
class ToolError : public std::runtime_error {
public:
    // cause: the errno of the call that failed, where one did and it matters.
    ToolError(ExitCode code, const std::string& text, int cause = 0)
        : std::runtime_error(text), code_(code), cause_(cause)
    {
    }
    ExitCode code() const { return code_; }
    int cause() const { return cause_; }

    // The file that it is about, as it is called in its tree and in any bytes; empty:
    // about none, or none that is known.
    ToolError&& about(std::string_view path) &&
    {
        path_ = path;
        return std::move(*this);
    }
    const std::string& path() const { return path_; }

private:
    ExitCode code_;
    int cause_;
    std::string path_;
};

// Printable ASCII and valid UTF-8 stay as they are; a backslash becomes "\\",
// any other byte "\nnn" in octal (as ls -b shows it).
std::string escaped(std::string_view bytes);

// Prints "NAME: TEXT" as one line. Thread safe. A line that a Progress bar
// stands on is cleared first.
void report(std::string_view text);

// Prints a line of the kernel's log, as it is. Thread safe.
void report_log_line(std::string_view text);

// The name that report() begins with; before the first report.
void set_tool_name(std::string_view name);

// The transient line at the bottom of the terminal, without a newline; empty
// clears it. report() takes it away before it prints. Thread safe.
void show_status_line(std::string_view text);

}  // namespace tools
