// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/commands.hpp"

#include <array>

namespace tools::lkl_tool {

std::unique_ptr<Command> add_cat(CLI::App& parent);
std::unique_ptr<Command> add_mkimage(CLI::App& parent);

std::span<const CommandEntry> all_commands()
{
    static constexpr std::array table{
        CommandEntry{"cat", add_cat},
        CommandEntry{"mkimage", add_mkimage},
    };
    return table;
}

}  // namespace tools::lkl_tool
