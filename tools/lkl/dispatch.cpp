// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/dispatch.hpp"

#include <algorithm>
#include <string_view>

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

// All behind the own options of "run" and "trace" is a command of its own, so that the "--"
// before it, at which CLI11 would leave the subcommand, says nothing.
void drop_mark(std::vector<std::string>& words)
{
    const auto command = std::find_if(words.begin(), words.end(), is_command);
    if (command == words.end() || (*command != "run" && *command != "trace"))
        return;
    const auto mark = std::find(command, words.end(), "--");
    if (mark != words.end())
        words.erase(mark);
}

}  // namespace

void dispatch(std::vector<std::string> words, const std::shared_ptr<KernelTrace>& trace)
{
    CommandLine line("Look into the file systems of disk images, and change them, without root.",
                     "lkl");
    GlobalOptions options;
    options.image.trace = trace;
    line.add_image_options(options.image, options.quiet);
    CLI::App& app = line.app();
    line.add_examples({
        "lkl info disk.img                       # what is in it",
        "lkl ls -l disk.img:/etc                 # a directory",
        "lkl cp -r site disk.img:/srv            # files into it",
        "lkl SUBCOMMAND --help                   # more of them",
    });
    app.require_subcommand(1);
    // Options of the program are known behind the subcommand, too.
    app.fallthrough();
    std::vector<std::unique_ptr<Command>> commands;
    for (const CommandEntry& entry : all_commands())
        commands.push_back(entry.add(app));
    drop_mark(words);
    std::vector<char*> arguments{nullptr};
    for (std::string& word : words)
        arguments.push_back(word.data());
    std::string name = "lkl";
    arguments.front() = name.data();
    if (!line.parse(static_cast<int>(arguments.size()), arguments.data()))
        return;
    for (size_t i = 0; i < commands.size(); i++) {
        if (!app.got_subcommand(all_commands()[i].name))
            continue;
        // Nothing has been opened; below "trace" its output has. A program of "run" inherits
        // what it is given.
        if (!trace && all_commands()[i].name != std::string_view("run"))
            close_inherited_descriptors(words);
        commands[i]->set_options(options);
        commands[i]->run();
    }
}

}  // namespace tools::lkl_tool
