// SPDX-License-Identifier: GPL-2.0-only
// lkl chown: changes owners and groups.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lkl/image/each_file.hpp"
#include "lkl/image/users.hpp"

namespace tools::lkl_tool {

namespace {

constexpr uint32_t unchanged = ~uint32_t{0};  // for chown(2)

class Chown final : public ImageCommand {
public:
    explicit Chown(CLI::App& parent) : ImageCommand(Access::write)
    {
        Subcommand command(parent, "chown", "Change owners and groups");
        command.help_is_long();
        add_operands(command, "Owner and group, numbers or names that the image knows, and files",
                     "[USER][:[GROUP]] IMAGE:PATH...");
        command.flag("-R,--recursive", options_.recursive, "Directories with all they contain");
        command.off("-h,--no-dereference", options_.follow,
                    "Symbolic links themselves, not what they lead to");
        command.notes(
            "Names are those of the image's own /etc/passwd and /etc/group.\n"
            "Example: lkl chown -R www-data:www-data disk.img:/var/www");
    }

private:
    void take_arguments(std::vector<std::string>& arguments) override
    {
        if (arguments.size() < 2)
            throw ToolError(ExitCode::usage,
                            "an owner and a file are needed (lkl chown --help "
                            "shows the options)");
        owner_ = arguments.front();
        arguments.erase(arguments.begin());
    }

    void work(const std::vector<Operand>& operands) override
    {
        // As chown(1): with -R no link is followed, not even that of an operand.
        if (options_.recursive)
            options_.follow = false;
        for (const Operand& operand : operands) {
            const Image& image = *operand.image;
            problems().guarded([&] {
                // No structured binding: clang 14 lets no lambda take one.
                const auto owner = parse(image);
                change_each_file(operand, options_, problems(), [&](const Visit& file) {
                    change(image, file, owner.first, owner.second);
                });
            });
        }
    }

    // "USER", "USER:GROUP", ":GROUP"; a dot is no separator, since names may have one.
    std::pair<uint32_t, uint32_t> parse(const Image& image) const
    {
        Users users(image);
        const size_t colon = owner_.find(':');
        const std::string user = owner_.substr(0, colon);
        const std::string group = colon == std::string::npos ? "" : owner_.substr(colon + 1);
        std::optional<uint32_t> uid = unchanged;
        std::optional<uint32_t> gid = unchanged;
        if (!user.empty())
            uid = users.user_id(user);
        if (!group.empty())
            gid = users.group_id(group);
        if (!uid)
            throw ToolError(ExitCode::usage, escaped(user) + ": the image has no such user");
        if (!gid)
            throw ToolError(ExitCode::usage, escaped(group) + ": the image has no such group");
        return {*uid, *gid};
    }

    static void change(const Image& image, const Visit& file, uint32_t uid, uint32_t gid)
    {
        if (const auto set = file.directory.set_owner_at(file.name, uid, gid); !set)
            throw image.failure(set.error(), file.path);
    }

    EachFileOptions options_;
    std::string owner_;
};

}  // namespace

std::unique_ptr<Command> add_chown(CLI::App& parent)
{
    return std::make_unique<Chown>(parent);
}

}  // namespace tools::lkl_tool
