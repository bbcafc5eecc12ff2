// SPDX-License-Identifier: GPL-2.0-only
// lkl: looks into disk images and changes what is in them.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "common/command_line.hpp"
#include "common/tool.hpp"
#include "lkl/command.hpp"
#include "lkl/commands.hpp"

namespace tools::lkl_tool {

namespace {

bool is_command(const std::string& word)
{
    const auto table = all_commands();
    return std::any_of(table.begin(), table.end(),
                       [&word](const CommandEntry& entry) { return word == entry.name; });
}

// All behind "run"'s own options is the program's, so that the "--" before it, at which
// CLI11 would leave the subcommand, says nothing.
std::vector<char*> without_mark_of_run(int argc, char** argv)
{
    std::vector<char*> words(argv, argv + argc);
    const auto command =
        std::find_if(words.begin(), words.end(), [](const char* word) { return is_command(word); });
    if (command == words.end() || std::string(*command) != "run")
        return words;
    const auto mark = std::find_if(command, words.end(),
                                   [](const char* word) { return std::string(word) == "--"; });
    if (mark != words.end())
        words.erase(mark);
    return words;
}

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
    std::vector<char*> words = without_mark_of_run(argc, argv);
    if (!line.parse(static_cast<int>(words.size()), words.data()))
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
