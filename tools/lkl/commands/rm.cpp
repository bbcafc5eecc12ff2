// SPDX-License-Identifier: GPL-2.0-only
// lkl rm: removes files, and with -r directories with all they contain.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "lkl/image/walk.hpp"
#include "lkl/image_command.hpp"

namespace tools::lkl_tool {

namespace {

class RemoveEach final : public Visitor {
public:
    explicit RemoveEach(const Image& image) : image_(image) {}
    bool visit(const Visit& file) override
    {
        if (file_type(file.stat) == lkl::FileType::directory)
            return true;
        remove(file, 0);
        return false;
    }
    void leave(const Visit& directory) override { remove(directory, LKL_AT_REMOVEDIR); }

private:
    void remove(const Visit& file, int flags) const
    {
        if (const auto removed = file.directory.remove_at(file.name, flags); !removed)
            throw image_.failure(removed.error(), file.path);
    }

    const Image& image_;
};

class Rm final : public ImageCommand {
public:
    explicit Rm(CLI::App& parent) : ImageCommand(Access::write)
    {
        Subcommand command(parent, "rm", "Remove files");
        add_operands(command, "Files of images");
        command.flag("-r,-R,--recursive", recursive_, "Directories with all they contain");
        command.flag("-f,--force", force_, "What does not exist is no error");
        command.flag("-d,--dir", directories_, "Empty directories, too");
        command.notes("Example: lkl rm -r disk.img:/var/cache/apt");
    }

private:
    void work(const std::vector<Operand>& operands) override
    {
        for (const Operand& operand : operands)
            problems().guarded([&] { remove(operand); });
    }
    void remove(const Operand& operand);

    bool recursive_ = false;
    bool force_ = false;
    bool directories_ = false;
};

void Rm::remove(const Operand& operand)
{
    Place place = operand.image->named(operand.path);
    const auto stat = place.directory.stat_at(place.name.c_str());
    if (!stat) {
        if (!force_ || stat.error().code != LKL_ENOENT)
            throw operand.image->failure(stat.error(), operand.path);
        return;
    }
    const bool directory = file_type(*stat) == lkl::FileType::directory;
    if (directory && recursive_) {
        RemoveEach each(*operand.image);
        Walk(*operand.image, each, problems()).run(std::move(place), operand.path);
        return;
    }
    const int flags = directory && directories_ ? LKL_AT_REMOVEDIR : 0;
    if (const auto removed = place.directory.remove_at(place.name.c_str(), flags); !removed)
        throw operand.image->failure(removed.error(), operand.path);
}

}  // namespace

std::unique_ptr<Command> add_rm(CLI::App& parent)
{
    return std::make_unique<Rm>(parent);
}

}  // namespace tools::lkl_tool
