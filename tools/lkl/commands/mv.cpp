// SPDX-License-Identifier: GPL-2.0-only
// lkl mv: gives files other names, in the same file system.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include <strings.h>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/stat.h>

#include "common/tree/identity.hpp"
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
    bool needs_all() const override { return true; }
    void move(const Operand& from, const Operand& to, bool into);

    bool keep_ = false;
    bool exact_ = false;
    // What this command has moved into the directory: it would be lost, were it replaced.
    std::unordered_set<Identity, HashIdentity> moved_;
};

bool is_directory(const Operand& operand)
{
    const Image& image = *operand.image;
    return image.root()
        .open_in_root(image.absolute(operand.path).c_str(), LKL_O_PATH | LKL_O_DIRECTORY)
        .has_value();
}

[[noreturn]] void refuse(const Operand& from, const Operand& to, const std::string& why)
{
    const Image& image = *from.image;
    throw ToolError(ExitCode::path, escaped(image.name() + ':' + image.absolute(from.path)) +
                                        ": cannot be moved to " + escaped(image.absolute(to.path)) +
                                        ": " + why);
}

std::optional<lkl::Stat> look(const Place& place)
{
    const auto stat = place.directory.stat_at(place.name.c_str(), identity_mask);
    return stat ? std::optional(*stat) : std::nullopt;
}

bool same_directory(const Place& one, const Place& other)
{
    const auto first = one.directory.stat(identity_mask);
    const auto second = other.directory.stat(identity_mask);
    return first && second && identity_of(*first) == identity_of(*second);
}

// Of names in one directory: whether both may mean one entry, which is the same name or, where
// case does not count, another spelling.
bool may_be_one_name(const std::string& one, const std::string& other)
{
    const auto is_ascii = [](const std::string& name) {
        return std::all_of(name.begin(), name.end(),
                           [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    };
    return !is_ascii(one) || !is_ascii(other) || ::strcasecmp(one.c_str(), other.c_str()) == 0;
}

void Mv::move(const Operand& from, const Operand& to, bool into)
{
    if (from.image != to.image)
        throw ToolError(ExitCode::usage, "mv works within one image: lkl cp copies between two");
    const Image& image = *from.image;
    const Place source = image.named(from.path);
    const Place target =
        into ? Place{image.open(to.path, LKL_O_RDONLY | LKL_O_DIRECTORY), source.name}
             : image.named(to.path);
    const auto old = look(source);
    if (!into && to.path.ends_with('/') && old && (old->stx_mode & LKL_S_IFMT) != LKL_S_IFDIR)
        refuse(from, to, "only a directory can have a slash behind its name");
    const auto replaced = look(target);
    if (into && replaced && moved_.contains(identity_of(*replaced)))
        refuse(from, to, "the same command has moved a file of that name there");
    // rename(2) does nothing between two names of one file, and says that it is done.
    bool is_link = false;
    if (!keep_ && old && replaced && identity_of(*old) == identity_of(*replaced)) {
        if (same_directory(source, target) && may_be_one_name(source.name, target.name))
            refuse(from, to, "they are the same file");
        is_link = old->stx_nlink > 1;
    }
    const auto moved =
        is_link ? source.directory.remove_at(source.name.c_str())
                : source.directory.rename_at(source.name.c_str(), target.directory,
                                             target.name.c_str(), keep_ ? LKL_RENAME_NOREPLACE : 0);
    if (moved) {
        if (into && old)
            moved_.insert(identity_of(*old));
        return;
    }
    // What exists or does not, and what a directory cannot be moved into.
    const ToolError error = image.failure(moved.error(), from.path);
    if (error.code() != ExitCode::path)
        throw error;
    refuse(from, to, reason(moved.error()));
}

void Mv::work(const std::vector<Operand>& operands)
{
    if (operands.size() < 2)
        throw ToolError(ExitCode::usage,
                        "a file and a new name are needed (lkl mv --help shows the options)");
    const Operand& to = operands.back();
    moved_.clear();
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
