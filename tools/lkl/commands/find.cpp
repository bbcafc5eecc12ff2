// SPDX-License-Identifier: GPL-2.0-only
// lkl find: files by what they are, with the words of find(1).
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <lkl/linux/stat.h>

#include "lkl/find/expression.hpp"
#include "lkl/image_command.hpp"
#include "lkl/output/format.hpp"
#include "lkl/output/json.hpp"

namespace tools::lkl_tool {

namespace {

class Find final : public ImageCommand {
public:
    explicit Find(CLI::App& parent)
        : ImageCommand(Access::read),
          command_(parent, "find", "Find files: IMAGE[:PATH]... [EXPRESSION]")
    {
        command_.help_is_long();
        // The expression is not for the parser of options.
        command_.take_rest();
        command_.notes(
            "IMAGE[:PATH]... [EXPRESSION]\n"
            "Options of lkl itself stand before \"find\". The expression has the words of "
            "find(1):\n"
            "  -name -iname -path PATTERN   -type b,c,d,f,l,p,s      -size [+-]N[cwbkMG]\n"
            "  -perm [-/]MODE               -user -group NAME        -uid -gid [+-]N\n"
            "  -links -inum [+-]N           -newer PATH              -mtime -mmin [+-]N\n"
            "  -empty -true -false -prune   -maxdepth -mindepth N    -depth\n"
            "  -print -print0 -ls --json    ( ) ! -not -a -o\n"
            "Example: lkl find disk.img:/etc -name '*.conf' -size +4k -ls");
    }

private:
    void take_arguments(std::vector<std::string>& arguments) override;
    void work(const std::vector<Operand>& operands) override;

    Subcommand command_;
    FindExpression expression_;
};

class FindFiles final : public Visitor {
public:
    FindFiles(const FindExpression& expression, FindContext& context,
              std::function<void(const Visit&)> found)
        : expression_(expression), context_(context), found_(std::move(found))
    {
    }

    bool visit(const Visit& file) override
    {
        context_.pruned = false;
        const bool directory = file_type(file.stat) == lkl::FileType::directory;
        const bool deeper = file.depth < expression_.most_depth;
        if (directory && deeper && expression_.contents_first)
            return true;
        look_at(file);
        return deeper && !context_.pruned;
    }

    void leave(const Visit& directory) override
    {
        if (expression_.contents_first)
            look_at(directory);
    }

private:
    void look_at(const Visit& file)
    {
        if (file.depth < expression_.least_depth)
            return;
        const bool matches = !expression_.test || expression_.test->matches(file, context_);
        if (matches && !expression_.has_action)
            found_(file);
    }

    const FindExpression& expression_;
    FindContext& context_;
    const std::function<void(const Visit&)> found_;
};

// Words up to the first that begins with a dash, or is "(" or "!", are operands.
void Find::take_arguments(std::vector<std::string>& arguments)
{
    std::vector<std::string> words = command_.rest();
    size_t first = 0;
    while (first < words.size() && !words[first].starts_with('-') && words[first] != "(" &&
           words[first] != "!")
        first++;
    const auto middle = words.begin() + static_cast<std::ptrdiff_t>(first);
    arguments.assign(words.begin(), middle);
    expression_ = parse_find({middle, words.end()});
}

std::string target_of(const Visit& file, const Image& image)
{
    if (file_type(file.stat) != lkl::FileType::symbolic_link)
        return {};
    auto target = file.directory.read_link_at(file.name);
    if (!target)
        throw image.failure(target.error(), file.path);
    return *std::move(target);
}

// The columns of find -ls.
std::string list_line(const Visit& file, FindContext& context, const Output& out)
{
    const lkl::Stat& stat = file.stat;
    const auto padded = [](const std::string& text, size_t width, bool right) {
        const std::string blanks(width > text.size() ? width - text.size() : 0, ' ');
        return right ? blanks + text : text + blanks;
    };
    const uint32_t type = stat.stx_mode & LKL_S_IFMT;
    const std::string size =
        type == LKL_S_IFCHR || type == LKL_S_IFBLK
            ? std::to_string(stat.stx_rdev_major) + ", " + std::to_string(stat.stx_rdev_minor)
            : std::to_string(stat.stx_size);
    const std::string target = target_of(file, context.image);
    return padded(std::to_string(stat.stx_ino), 9, true) + ' ' +
           padded(std::to_string((stat.stx_blocks + 1) / 2), 6, true) + ' ' +
           mode_text(stat.stx_mode) + ' ' + padded(std::to_string(stat.stx_nlink), 3, true) + ' ' +
           padded(out.name(context.users.user_name(stat.stx_uid)), 8, false) + ' ' +
           padded(out.name(context.users.group_name(stat.stx_gid)), 8, false) + ' ' +
           padded(size, 8, true) + ' ' + short_time(stat.stx_mtime) + ' ' + out.name(file.path) +
           (target.empty() ? "" : " -> " + out.name(target)) + '\n';
}

void Find::work(const std::vector<Operand>& operands)
{
    JsonList json(out(), expression_.json);
    for (const Operand& operand : operands) {
        problems().guarded([&] {
            Users users(*operand.image);
            FindContext context{*operand.image, users, {}, {}, {}, false};
            const auto print = [&](const Visit& file) {
                if (!expression_.json) {
                    out().write(out().name(file.path) + '\n');
                    return;
                }
                JsonObject object;
                object.set("path", file.path);
                set_stat(object, file.stat);
                if (file_type(file.stat) == lkl::FileType::symbolic_link)
                    object.set("target", target_of(file, *operand.image));
                json.add(object);
            };
            context.print = print;
            context.print0 = [&](const Visit& file) { out().write(file.path + '\0'); };
            context.list = [&](const Visit& file) { out().write(list_line(file, context, out())); };
            FindFiles files(expression_, context, print);
            Walk(*operand.image, files, problems(), LKL_STATX_BTIME)
                .run(operand.image->place(operand.path), operand.shown);
        });
    }
    json.finish();
}

}  // namespace

std::unique_ptr<Command> add_find(CLI::App& parent)
{
    return std::make_unique<Find>(parent);
}

}  // namespace tools::lkl_tool
