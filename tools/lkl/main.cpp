// SPDX-License-Identifier: GPL-2.0-only
// lkl: looks into disk images and changes what is in them.
#include <memory>
#include <string>
#include <vector>

#include "common/command_line.hpp"
#include "common/tool.hpp"
#include "lkl/command.hpp"
#include "lkl/commands.hpp"

namespace tools::lkl_tool {

namespace {

void run(int argc, char** argv)
{
    CommandLine line("Look into the file systems of disk images, and change them, without root.",
                     "lkl");
    GlobalOptions options;
    line.add_image_options(options.image, options.quiet);
    CLI::App& app = line.app();
    app.require_subcommand(1);
    // Options of the program are known behind the subcommand, too.
    app.fallthrough();
    std::vector<std::unique_ptr<Command>> commands;
    for (const CommandEntry& entry : all_commands())
        commands.push_back(entry.add(app));
    if (!line.parse(argc, argv))
        return;
    for (size_t i = 0; i < commands.size(); i++) {
        if (!app.got_subcommand(all_commands()[i].name))
            continue;
        commands[i]->set_options(options);
        commands[i]->run();
    }
}

}  // namespace

}  // namespace tools::lkl_tool

int main(int argc, char** argv)
{
    return tools::run_tool("lkl", [argc, argv] { tools::lkl_tool::run(argc, argv); });
}
