// SPDX-License-Identifier: GPL-2.0-only
// What a command prints: standard output, with a buffer.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace tools::lkl_tool {

// One thread. What is not flushed at the end is lost: commands call flush() when all
// went well, and errors come after what was printed before them.
class Output {
public:
    Output();

    // Throw ToolError, ExitCode::output, when standard output takes no more.
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

private:
    static constexpr size_t limit = size_t{64} << 10;  // bytes

    std::string buffer_;
    const bool terminal_;
};

}  // namespace tools::lkl_tool
