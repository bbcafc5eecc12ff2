// SPDX-License-Identifier: GPL-2.0-only
// lkl cat: what files contain, on standard output.
#include <cstddef>
#include <memory>
#include <vector>

#include <lkl/linux/fcntl.h>

#include "lkl/image/walk.hpp"
#include "lkl/image_command.hpp"

namespace tools::lkl_tool {

namespace {

constexpr size_t buffer_size = size_t{1} << 20;  // bytes

class Cat final : public ImageCommand {
public:
    explicit Cat(CLI::App& parent) : ImageCommand(Access::read)
    {
        Subcommand command(parent, "cat", "Print what files contain");
        add_operands(command, "Files of images");
        command.notes("Example: lkl cat disk.img:/etc/fstab");
    }

private:
    void work(const std::vector<Operand>& operands) override
    {
        for (const Operand& operand : operands)
            problems().guarded([&] { print(operand); });
    }

    void print(const Operand& operand)
    {
        const lkl::FileType type =
            file_type(operand.image->stat(operand.path, true, lkl::File::basic_stats));
        if (type == lkl::FileType::character_device || type == lkl::FileType::block_device)
            throw ToolError(ExitCode::path, escaped(operand.shown) + ": is a device");
        const lkl::File file =
            operand.image->open(operand.path, LKL_O_RDONLY | LKL_O_NONBLOCK | LKL_O_NOCTTY);
        for (;;) {
            const auto count = file.read(buffer_);
            if (!count)
                throw operand.image->failure(count.error(), operand.path);
            if (*count == 0)
                return;
            out().write(std::span<const std::byte>(buffer_).first(*count));
        }
    }

    std::vector<std::byte> buffer_{buffer_size};
};

}  // namespace

std::unique_ptr<Command> add_cat(CLI::App& parent)
{
    return std::make_unique<Cat>(parent);
}

}  // namespace tools::lkl_tool
