// SPDX-License-Identifier: GPL-2.0-only
// lkl ls: lists directories, as ls(1) does.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <lkl/linux/fcntl.h>

#include "lkl/image/walk.hpp"
#include "lkl/image_command.hpp"
#include "lkl/listing/lister.hpp"

namespace tools::lkl_tool {

namespace {

class Ls final : public ImageCommand {
public:
    explicit Ls(CLI::App& parent) : ImageCommand(Access::read)
    {
        Subcommand command(parent, "ls", "List directories");
        command.help_is_long();
        add_operands(command, "Files and directories of images");
        command.flag("-l", style_.details, "With mode, owner, size and time");
        command.flag("-n", style_.numbers, "As -l, with numbers in the place of names of users");
        command.flag("-a,--all", style_.all, "Names that begin with a dot, too");
        command.flag("-R,--recursive", recursive_, "And all directories below");
        command.flag("-d,--directory", itself_, "Directories themselves");
        command.flag("-i,--inode", style_.inodes, "With inode numbers");
        command.flag("-s,--blocks", style_.blocks, "With the space on disk, in KiB");
        command.flag("-h,--human-readable", style_.human, "Sizes as 1.5K, 20M");
        command.flag("-t", style_.by_time, "The newest first");
        command.flag("-S", style_.by_size, "The largest first");
        command.flag("-r,--reverse", style_.reverse, "The other way round");
        command.flag("-1", style_.lines, "One name a line, on a terminal too");
        command.flag("--full-time", style_.full_time, "As -l, with whole times");
        command.flag("--json", style_.json, "As JSON");
        command.notes(
            "Names of users are those of the image's own /etc/passwd.\n"
            "Example: lkl ls -l disk.img:/etc");
    }

private:
    void work(const std::vector<Operand>& operands) override;
    bool is_listed(const Operand& operand) const;
    void list_directory(const Operand& operand, Lister& lister, bool titled);

    ListStyle style_;
    bool recursive_ = false;
    bool itself_ = false;
};

// Lists each directory that is walked through.
class ListEach final : public Visitor {
public:
    ListEach(Lister& lister, bool recursive, bool titled)
        : lister_(lister), recursive_(recursive), titled_(titled)
    {
    }
    bool visit(const Visit& file) override { return file.depth == 0 || recursive_; }
    void arrange(const Visit& directory, const lkl::File& opened,
                 std::vector<WalkEntry>& entries) override
    {
        if (titled_ || recursive_)
            lister_.title(directory.path);
        lister_.list(opened, directory.path, entries);
        std::erase_if(
            entries, [](const WalkEntry& entry) { return entry.type != lkl::FileType::directory; });
    }

private:
    Lister& lister_;
    const bool recursive_;
    const bool titled_;
};

void Ls::list_directory(const Operand& operand, Lister& lister, bool titled)
{
    ListEach each(lister, recursive_, titled);
    Walk(*operand.image, each, problems()).run(operand.image->inside(operand.path), operand.shown);
}

// As a directory, not as a file. A symbolic link to one is, unless more than names is
// wanted.
bool Ls::is_listed(const Operand& operand) const
{
    const Image& image = *operand.image;
    if (itself_)
        return false;
    const lkl::Stat stat = image.stat(operand.path, false, lkl::File::basic_stats);
    if (file_type(stat) != lkl::FileType::symbolic_link || style_.details)
        return file_type(stat) == lkl::FileType::directory;
    return image.root()
        .open_in_root(image.absolute(operand.path).c_str(), LKL_O_PATH | LKL_O_DIRECTORY)
        .has_value();
}

void Ls::work(const std::vector<Operand>& operands)
{
    if (style_.numbers || style_.full_time)
        style_.details = true;
    JsonList json(out(), style_.json);
    Lister lister(style_, out(), problems(), json);
    std::vector<const Operand*> directories;
    for (const Operand& operand : operands) {
        problems().guarded([&] {
            if (is_listed(operand))
                directories.push_back(&operand);
            else
                lister.add(*operand.image, operand.image->place(operand.path), operand.shown);
        });
    }
    lister.print_added();
    for (const Operand* const operand : directories) {
        problems().guarded([&] {
            lister.set_image(*operand->image);
            list_directory(*operand, lister, several() || operands.size() > 1);
        });
    }
    json.finish();
}

}  // namespace

std::unique_ptr<Command> add_ls(CLI::App& parent)
{
    return std::make_unique<Ls>(parent);
}

}  // namespace tools::lkl_tool
