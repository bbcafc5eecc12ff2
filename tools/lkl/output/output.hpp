// SPDX-License-Identifier: GPL-2.0-only
// What a command prints: standard output, with a buffer.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "common/report.hpp"

namespace tools::lkl_tool {

// Standard output takes no more, or nobody wants more: nothing can follow.
class OutputError final : public ToolError {
public:
    explicit OutputError(const std::string& text) : ToolError(ExitCode::output, text) {}
};

// One thread. What is not flushed at the end is lost: commands call flush() when all
// went well, and errors come after what was printed before them.
class Output {
public:
    Output();

    // Throw OutputError.
    void write(std::string_view text);
    void write(std::span<const std::byte> bytes);
    void flush();

    bool terminal() const { return terminal_; }
    // Columns of the terminal.
    unsigned width() const;
    // Bold, colours and the like are wanted.
    bool coloured() const;

    // A name of the image: escaped on a terminal, which control characters would drive;
    // as it is for programs that read it.
    std::string name(std::string_view bytes) const;

    // From a signal handler: the next write() fails, and throw_if_interrupted().
    static void interrupt();
    static void forget_interrupt();
    // For what prints nothing for long. Any thread. Throws OutputError.
    static void throw_if_interrupted();

private:
    static constexpr size_t limit = size_t{64} << 10;  // bytes

    std::string buffer_;
    const bool terminal_;
};

}  // namespace tools::lkl_tool
