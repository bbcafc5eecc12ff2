// SPDX-License-Identifier: GPL-2.0-only
// lkl mv: gives files other names, in the same file system.
#include <memory>
#include <string>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>

#include "lkl/image_command.hpp"

namespace tools::lkl_tool {

namespace {

class Mv final : public ImageCommand {
public:
    explicit Mv(CLI::App& parent) : ImageCommand(Access::write, Patterns::expanded)
    {
        Subcommand command(parent, "mv", "Rename and move files within an image");
        add_operands(command, "Files of an image, and last their new name or directory",
                     "IMAGE:PATH... IMAGE:PATH");
        command.flag("-n,--no-clobber", keep_, "What exists is not replaced: an error");
        command.flag("-T,--no-target-directory", exact_,
                     "The last name is not a directory to "
                     "move into");
        command.notes("Example: lkl mv disk.img:/etc/hosts disk.img:/etc/hosts.old");
    }

private:
    void work(const std::vector<Operand>& operands) override;
    void move(const Operand& from, const Operand& to, bool into);

    bool keep_ = false;
    bool exact_ = false;
};

bool is_directory(const Operand& operand)
{
    const Image& image = *operand.image;
    return image.root()
        .open_in_root(image.absolute(operand.path).c_str(), LKL_O_PATH | LKL_O_DIRECTORY)
        .has_value();
}

void Mv::move(const Operand& from, const Operand& to, bool into)
{
    if (from.image != to.image)
        throw ToolError(ExitCode::usage, "mv works within one image: lkl cp copies between two");
    const Image& image = *from.image;
    const Place source = image.place(from.path);
    Place target = into ? Place{image.open(to.path, LKL_O_RDONLY | LKL_O_DIRECTORY), source.name}
                        : image.place(to.path);
    if (source.name == "." || target.name == ".")
        throw ToolError(ExitCode::path,
                        escaped(from.shown) + ": the top directory, \".\" and \"..\" stay");
    const auto moved =
        source.directory.rename_at(source.name.c_str(), target.directory, target.name.c_str(),
                                   keep_ ? LKL_RENAME_NOREPLACE : 0);
    if (moved)
        return;
    // What exists or does not, and what a directory cannot be moved into.
    const std::string name = image.name() + ':' + image.absolute(from.path);
    const ToolError error = image.failure(moved.error(), from.path);
    if (error.code() != ExitCode::path)
        throw error;
    throw ToolError(ExitCode::path, escaped(name) + ": cannot be moved to " +
                                        escaped(image.absolute(to.path)) + ": " +
                                        reason(moved.error()));
}

void Mv::work(const std::vector<Operand>& operands)
{
    if (operands.size() < 2)
        throw ToolError(ExitCode::usage,
                        "a file and a new name are needed (lkl mv --help shows the options)");
    const Operand& to = operands.back();
    const bool into = !exact_ && is_directory(to);
    if (!into && operands.size() > 2)
        throw ToolError(ExitCode::path, escaped(to.shown) + ": is not a directory in the image");
    for (size_t i = 0; i + 1 < operands.size(); i++)
        problems().guarded([&] { move(operands[i], to, into); });
}

}  // namespace

std::unique_ptr<Command> add_mv(CLI::App& parent)
{
    return std::make_unique<Mv>(parent);
}

}  // namespace tools::lkl_tool
