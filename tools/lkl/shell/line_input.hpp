// SPDX-License-Identifier: GPL-2.0-only
// Lines from a terminal, with GNU Readline's editing, history and completion; or from a
// pipe or file, as they are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tools::lkl_tool {

// One at a time in a process, since Readline is.
class LineInput {
public:
    // complete(word): names of the image that begin so, from whoever may be hostile.
    LineInput(std::vector<std::string> commands,
              std::function<std::vector<std::string>(const std::string&)> complete);
    LineInput(const LineInput&) = delete;
    LineInput& operator=(const LineInput&) = delete;
    ~LineInput();  // writes the history

    bool terminal() const { return terminal_; }
    // On a terminal Ctrl-C drops what was typed, for a fresh prompt. None: the end.
    std::optional<std::string> read(const std::string& prompt);

private:
    const bool terminal_;
    std::string history_file_;  // empty: there is none
};

}  // namespace tools::lkl_tool
