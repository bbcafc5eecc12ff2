// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/commands.hpp"

#include <array>

namespace tools::lkl_tool {

std::unique_ptr<Command> add_cat(CLI::App& parent);
std::unique_ptr<Command> add_chmod(CLI::App& parent);
std::unique_ptr<Command> add_chown(CLI::App& parent);
std::unique_ptr<Command> add_cp(CLI::App& parent);
std::unique_ptr<Command> add_df(CLI::App& parent);
std::unique_ptr<Command> add_du(CLI::App& parent);
std::unique_ptr<Command> add_edit(CLI::App& parent);
std::unique_ptr<Command> add_find(CLI::App& parent);
std::unique_ptr<Command> add_info(CLI::App& parent);
std::unique_ptr<Command> add_ln(CLI::App& parent);
std::unique_ptr<Command> add_ls(CLI::App& parent);
std::unique_ptr<Command> add_mkdir(CLI::App& parent);
std::unique_ptr<Command> add_mkimage(CLI::App& parent);
std::unique_ptr<Command> add_mv(CLI::App& parent);
std::unique_ptr<Command> add_rm(CLI::App& parent);
std::unique_ptr<Command> add_run(CLI::App& parent);
std::unique_ptr<Command> add_shell(CLI::App& parent);
std::unique_ptr<Command> add_stat(CLI::App& parent);
std::unique_ptr<Command> add_sum(CLI::App& parent);
std::unique_ptr<Command> add_touch(CLI::App& parent);
std::unique_ptr<Command> add_trace(CLI::App& parent);
std::unique_ptr<Command> add_tree(CLI::App& parent);
std::unique_ptr<Command> add_trim(CLI::App& parent);

std::span<const CommandEntry> all_commands()
{
    static constexpr std::array table{
        CommandEntry{"info", add_info},       CommandEntry{"df", add_df},
        CommandEntry{"ls", add_ls},           CommandEntry{"tree", add_tree},
        CommandEntry{"find", add_find},       CommandEntry{"cat", add_cat},
        CommandEntry{"stat", add_stat},       CommandEntry{"du", add_du},
        CommandEntry{"sum", add_sum},         CommandEntry{"cp", add_cp},
        CommandEntry{"mv", add_mv},           CommandEntry{"rm", add_rm},
        CommandEntry{"mkdir", add_mkdir},     CommandEntry{"ln", add_ln},
        CommandEntry{"chmod", add_chmod},     CommandEntry{"chown", add_chown},
        CommandEntry{"touch", add_touch},     CommandEntry{"edit", add_edit},
        CommandEntry{"trim", add_trim},       CommandEntry{"shell", add_shell},
        CommandEntry{"mkimage", add_mkimage}, CommandEntry{"run", add_run},
        CommandEntry{"trace", add_trace},
    };
    return table;
}

}  // namespace tools::lkl_tool
