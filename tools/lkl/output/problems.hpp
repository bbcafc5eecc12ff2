// SPDX-License-Identifier: GPL-2.0-only
// What goes wrong with single operands or files: told at once, answered for at the end.
#pragma once

#include <optional>

#include "common/report.hpp"
#include "lkl/output/output.hpp"

namespace tools::lkl_tool {

// One thread.
class Problems {
public:
    // The reference is kept: what was printed before an error comes before it.
    explicit Problems(Output& out) : out_(out) {}

    // Throws the error when nothing can follow it.
    void add(const ToolError& error);

    // Calls the function; a ToolError of its is added. False then.
    template <typename Function>
    bool guarded(Function&& function)
    {
        try {
            function();
            return true;
        } catch (const OutputError&) {
            throw;
        } catch (const ToolError& error) {
            add(error);
            return false;
        }
    }

    // Throws a ToolError without a text, which run_tool() does not print, with the code
    // of the problems, or ExitCode::incomplete where they differ.
    void throw_if_any() const;

private:
    Output& out_;
    std::optional<ExitCode> code_;
};

}  // namespace tools::lkl_tool
