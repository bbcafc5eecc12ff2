// SPDX-License-Identifier: GPL-2.0-only
// lkl ln: makes hard and symbolic links.
#include <memory>
#include <string>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "common/tree/identity.hpp"
#include "common/tree/sources.hpp"
#include "lkl/image_command.hpp"

namespace tools::lkl_tool {

namespace {

bool is_same(const lkl::Result<lkl::Stat>& one, const lkl::Result<lkl::Stat>& other)
{
    return one && other && identity_of(*one) == identity_of(*other);
}

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
    lkl::Result<void> make(const Image& image, const lkl::File& directory,
                           const std::string& name) const;
    // In the place of what has the name.
    lkl::Result<void> replace(const Image& image, const Place& place) const;
    // Whether the target is what has the name, and there is nothing to do. Throws where it is
    // so by this very name.
    bool is_made(const Image& image, const std::string& path, const Place& place) const;
    // Of a hard link: without the image that may stand before it.
    std::string target_path(const Image& image) const;
    // The target as a path of the image, for a link that is at `path`.
    std::string path_from(const Image& image, const std::string& path) const;

    std::string target_;
    bool symbolic_ = false;
    bool force_ = false;
};

std::string Ln::target_path(const Image& image) const
{
    const std::string prefix = image.name() + ':';
    return target_.starts_with(prefix) ? target_.substr(prefix.size()) : target_;
}

lkl::Result<void> Ln::make(const Image& image, const lkl::File& directory,
                           const std::string& name) const
{
    if (symbolic_)
        return directory.make_symbolic_link_at(target_.c_str(), name.c_str());
    const Place target = image.place(target_path(image));
    return target.directory.link_at(target.name.c_str(), directory, name.c_str());
}

// The link is made under a name that nothing has, and gets its own when it is there: where
// there can be none, what it was to replace stays.
lkl::Result<void> Ln::replace(const Image& image, const Place& place) const
{
    constexpr int most = 1000;  // names
    for (int number = 1;; number++) {
        const std::string name = ".lkl-ln-" + std::to_string(number);
        auto made = make(image, place.directory, name);
        if (!made && made.error().code == LKL_EEXIST && number < most)
            continue;
        if (made) {
            made = place.directory.rename_at(name.c_str(), place.directory, place.name.c_str());
            if (!made)
                (void)place.directory.remove_at(name.c_str());
        }
        if (made)
            return {};
        // That name says nothing to the user.
        return lkl::Error{made.error().code, "make link: " + reason(made.error())};
    }
}

std::string Ln::path_from(const Image& image, const std::string& path) const
{
    if (!symbolic_)
        return target_path(image);
    return target_.starts_with('/') ? target_ : path.substr(0, path.rfind('/') + 1) + target_;
}

bool Ln::is_made(const Image& image, const std::string& path, const Place& place) const
{
    const std::string target = path_from(image, path);
    const auto there = image.root().open_in_root(image.absolute(target).c_str(),
                                                 LKL_O_PATH | (symbolic_ ? 0 : LKL_O_NOFOLLOW));
    const auto old = place.directory.stat_at(place.name.c_str(), identity_mask);
    if (!there || !old || !is_same(there->stat(identity_mask), old))
        return false;
    const Place named = image.place(target);
    if (old->stx_nlink == 1 ||
        (named.name == place.name &&
         is_same(named.directory.stat(identity_mask), place.directory.stat(identity_mask))))
        throw ToolError(ExitCode::path, escaped(image.name() + ':' + image.absolute(path)) +
                                            ": the target and the new name are the same file");
    // A hard link, that is: rename(2) would do nothing and leave both names.
    return !symbolic_;
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
    auto made = make(image, place.directory, place.name);
    if (!made && force_ && made.error().code == LKL_EEXIST) {
        if (is_made(image, path, place))
            return;
        made = replace(image, place);
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
