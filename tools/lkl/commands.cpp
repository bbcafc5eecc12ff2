// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/commands.hpp"

#include <array>

namespace tools::lkl_tool {

std::unique_ptr<Command> add_cat(CLI::App& parent);
std::unique_ptr<Command> add_ls(CLI::App& parent);

std::span<const CommandEntry> all_commands()
{
    static constexpr std::array table{
        CommandEntry{"ls", add_ls},
        CommandEntry{"cat", add_cat},
    };
    return table;
}

}  // namespace tools::lkl_tool
