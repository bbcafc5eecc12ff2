// SPDX-License-Identifier: GPL-2.0-only
// lkl tree: a directory and all below, drawn.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <lkl/linux/fcntl.h>

#include "lkl/image/walk.hpp"
#include "lkl/image_command.hpp"
#include "lkl/listing/colours.hpp"
#include "lkl/output/json.hpp"

namespace tools::lkl_tool {

namespace {

struct TreeStyle {
    size_t depth = 0;  // 0: any
    bool all = false;
    bool directories = false;
};

class DrawTree final : public Visitor {
public:
    DrawTree(const TreeStyle& style, const Image& image, Output& out, JsonList& json)
        : style_(style), image_(image), out_(out), json_(json)
    {
    }

    bool visit(const Visit& file) override;
    void arrange(const Visit& directory, const lkl::File& opened,
                 std::vector<WalkEntry>& entries) override;

    uint64_t directories() const { return directories_; }
    uint64_t files() const { return files_; }

private:
    void draw(const Visit& file, const std::string& target);

    const TreeStyle& style_;
    const Image& image_;
    Output& out_;
    JsonList& json_;
    // Of each level on the way: more entries come below it.
    std::vector<bool> more_;
    uint64_t directories_ = 0;
    uint64_t files_ = 0;
};

void DrawTree::arrange(const Visit& directory, const lkl::File& opened,
                       std::vector<WalkEntry>& entries)
{
    (void)directory;
    std::erase_if(entries, [&](const WalkEntry& entry) {
        if (entry.name.starts_with('.') && !style_.all)
            return true;
        if (!style_.directories)
            return false;
        if (entry.type != lkl::FileType::unknown)
            return entry.type != lkl::FileType::directory;
        const auto stat = opened.stat_at(entry.name.c_str());
        return stat && file_type(*stat) != lkl::FileType::directory;
    });
}

bool DrawTree::visit(const Visit& file)
{
    const bool directory = file_type(file.stat) == lkl::FileType::directory;
    if (file.depth > 0)
        (directory ? directories_ : files_)++;
    std::string target;
    if (file_type(file.stat) == lkl::FileType::symbolic_link) {
        auto link = file.directory.read_link_at(file.name);
        if (!link)
            throw image_.failure(link.error(), file.path);
        target = *std::move(link);
    }
    if (!json_.enabled()) {
        draw(file, target);
    } else {
        JsonObject object;
        object.set("path", file.path);
        object.set("depth", file.depth);
        set_stat(object, file.stat);
        if (!target.empty())
            object.set("target", target);
        json_.add(object);
    }
    return style_.depth == 0 || file.depth < style_.depth;
}

void DrawTree::draw(const Visit& file, const std::string& target)
{
    std::string line;
    more_.resize(file.depth);
    for (size_t level = 1; level < file.depth; level++)
        line += more_[level] ? "\u2502   " : "    ";
    if (file.depth > 0)
        line += file.last ? "\u2514\u2500\u2500 " : "\u251c\u2500\u2500 ";
    more_.push_back(!file.last);
    std::string name = out_.name(file.depth == 0 ? file.path : std::string(file.name));
    if (out_.coloured())
        name = in_colour(name, file.stat);
    line += name;
    if (!target.empty())
        line += " -> " + out_.name(target);
    out_.write(line + '\n');
}

class Tree final : public ImageCommand {
public:
    explicit Tree(CLI::App& parent) : ImageCommand(Access::read)
    {
        Subcommand command(parent, "tree", "Draw directories and all below");
        add_operands(command, "Directories of images");
        command.option("-L,--level", style_.depth, 1, "N", "So many levels down");
        command.flag("-a,--all", style_.all, "Names that begin with a dot, too");
        command.flag("-d,--directories", style_.directories, "Directories alone");
        command.flag("--json", json_, "As JSON");
        command.notes("Example: lkl tree -L 2 disk.img:/usr");
    }

private:
    void work(const std::vector<Operand>& operands) override
    {
        JsonList json(out(), json_);
        uint64_t directories = 0;
        uint64_t files = 0;
        for (const Operand& operand : operands) {
            problems().guarded([&] {
                const Image& image = *operand.image;
                (void)image.open(operand.path, LKL_O_PATH | LKL_O_DIRECTORY);
                DrawTree draw(style_, image, out(), json);
                Walk(*operand.image, draw, problems())
                    .run(image.inside(operand.path), operand.shown);
                directories += draw.directories();
                files += draw.files();
            });
        }
        json.finish();
        if (!json_)
            out().write('\n' + counted(directories, "directory", "directories") +
                        (style_.directories ? "" : ", " + counted(files, "file", "files")) + '\n');
    }

    static std::string counted(uint64_t count, const char* one, const char* many)
    {
        return std::to_string(count) + ' ' + (count == 1 ? one : many);
    }

    TreeStyle style_;
    bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> add_tree(CLI::App& parent)
{
    return std::make_unique<Tree>(parent);
}

}  // namespace tools::lkl_tool
