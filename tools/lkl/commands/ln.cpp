// SPDX-License-Identifier: GPL-2.0-only
// lkl ln: makes hard and symbolic links.
#include <memory>
#include <string>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "common/tree/sources.hpp"
#include "lkl/image_command.hpp"

namespace tools::lkl_tool {

namespace {

class Ln final : public ImageCommand {
public:
    explicit Ln(CLI::App& parent) : ImageCommand(Access::write, Patterns::kept)
    {
        Subcommand command(parent, "ln", "Make links");
        add_operands(command, "What to link to, and the new name: with -s the first is any text",
                     "TARGET IMAGE:PATH");
        command.flag("-s,--symbolic", symbolic_, "A symbolic link");
        command.flag("-f,--force", force_, "A file of that name is replaced");
        command.notes(
            "The target is a path in the image; IMAGE: before it may be left out.\n"
            "Example: lkl ln -s ../usr/share/zoneinfo/UTC disk.img:/etc/localtime");
    }

private:
    void take_arguments(std::vector<std::string>& arguments) override
    {
        if (arguments.size() != 2)
            throw ToolError(ExitCode::usage,
                            "a target and a new name are needed (lkl ln --help "
                            "shows the options)");
        target_ = arguments.front();
        arguments.erase(arguments.begin());
    }
    void work(const std::vector<Operand>& operands) override;
    bool needs_all() const override { return true; }
    lkl::Result<void> make(const Image& image, const Place& place) const;
    // Of a hard link: without the image that may stand before it.
    std::string target_path(const Image& image) const;

    std::string target_;
    bool symbolic_ = false;
    bool force_ = false;
};

std::string Ln::target_path(const Image& image) const
{
    const std::string prefix = image.name() + ':';
    return target_.starts_with(prefix) ? target_.substr(prefix.size()) : target_;
}

lkl::Result<void> Ln::make(const Image& image, const Place& place) const
{
    if (symbolic_)
        return place.directory.make_symbolic_link_at(target_.c_str(), place.name.c_str());
    const Place target = image.place(target_path(image));
    return target.directory.link_at(target.name.c_str(), place.directory, place.name.c_str());
}

void Ln::work(const std::vector<Operand>& operands)
{
    const Operand& operand = operands.front();
    const Image& image = *operand.image;
    Place place = image.place(operand.path);
    // Into a directory, under the name of the target.
    const auto directory = image.root().open_in_root(image.absolute(operand.path).c_str(),
                                                     LKL_O_PATH | LKL_O_DIRECTORY);
    std::string path = operand.path;
    if (directory) {
        const std::string target = symbolic_ ? target_ : target_path(image);
        path += '/' + split_source(target).name;
        place = image.place(path);
    } else if (path.ends_with('/')) {
        throw image.failure({LKL_ENOENT, "make"}, path);
    }
    if (!symbolic_)
        (void)image.stat(target_path(image), false, lkl::File::basic_stats);
    auto made = make(image, place);
    if (!made && force_ && made.error().code == LKL_EEXIST) {
        if (auto removed = place.directory.remove_at(place.name.c_str()); !removed)
            throw image.failure(removed.error(), path);
        made = make(image, place);
    }
    if (!made)
        throw image.failure(made.error(), path);
}

}  // namespace

std::unique_ptr<Command> add_ln(CLI::App& parent)
{
    return std::make_unique<Ln>(parent);
}

}  // namespace tools::lkl_tool
