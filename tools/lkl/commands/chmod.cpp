// SPDX-License-Identifier: GPL-2.0-only
// lkl chmod: changes permissions.
#include <memory>
#include <string>
#include <vector>

#include "common/tree/mode_change.hpp"
#include "common/umask.hpp"
#include "lkl/image/each_file.hpp"

namespace tools::lkl_tool {

namespace {

class Chmod final : public ImageCommand {
public:
    explicit Chmod(CLI::App& parent) : ImageCommand(Access::write)
    {
        Subcommand command(parent, "chmod", "Change permissions");
        add_operands(command, "Permissions as chmod(1) takes them (u=rwX,go-w or 644), and files",
                     "MODE IMAGE:PATH...");
        command.flag("-R,--recursive", options_.recursive, "Directories with all they contain");
        command.notes(
            "Modes that begin with a dash stand behind --: lkl chmod -- -x disk.img:/bin/x\n"
            "Example: lkl chmod -R u=rwX,go=rX disk.img:/srv");
    }

private:
    void take_arguments(std::vector<std::string>& arguments) override
    {
        if (arguments.size() < 2)
            throw ToolError(ExitCode::usage,
                            "a mode and a file are needed (lkl chmod --help shows "
                            "the options)");
        const auto change = ModeChange::parse(arguments.front(), process_umask());
        if (!change)
            throw ToolError(ExitCode::usage, escaped(arguments.front()) + ": is no mode");
        change_ = *change;
        arguments.erase(arguments.begin());
    }

    void work(const std::vector<Operand>& operands) override
    {
        for (const Operand& operand : operands) {
            problems().guarded([&] {
                change_each_file(operand, options_, problems(),
                                 [&](const Visit& file) { change(*operand.image, file); });
            });
        }
    }

    void change(const Image& image, const Visit& file) const
    {
        // Symbolic links have no permissions.
        if (file_type(file.stat) == lkl::FileType::symbolic_link)
            return;
        const bool directory = file_type(file.stat) == lkl::FileType::directory;
        const uint32_t mode = change_.apply(file.stat.stx_mode & 07777, directory);
        if (const auto set = file.directory.set_mode_at(file.name, mode); !set)
            throw image.failure(set.error(), file.path);
    }

    EachFileOptions options_;
    ModeChange change_;
};

}  // namespace

std::unique_ptr<Command> add_chmod(CLI::App& parent)
{
    return std::make_unique<Chmod>(parent);
}

}  // namespace tools::lkl_tool
