// SPDX-License-Identifier: GPL-2.0-only
// lkl trim: gives space that the file system does not use back to the host.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fs.h>

#include "common/progress.hpp"
#include "lkl/image_command.hpp"
#include "lkl/output/json.hpp"

namespace tools::lkl_tool {

namespace {

class Trim final : public ImageCommand {
public:
    explicit Trim(CLI::App& parent) : ImageCommand(Access::write, Patterns::kept)
    {
        Subcommand command(parent, "trim", "Give unused space of images back to the host");
        add_operands(command, "Images");
        command.option("-m,--minimum", minimum_, 0, "BYTES",
                       "Only pieces of so many bytes at least");
        command.flag("--json", json_, "As JSON");
        command.notes(
            "An image file gets holes, of a block device the blocks are discarded.\n"
            "Example: lkl trim disk.img");
    }

private:
    void work(const std::vector<Operand>& operands) override
    {
        JsonList json(out(), json_);
        for (const Operand& operand : operands) {
            problems().guarded([&] {
                const uint64_t bytes = trim(*operand.image);
                if (!json_) {
                    out().write(escaped(operand.image->name()) + ": " + format_size(bytes) + " (" +
                                std::to_string(bytes) + " bytes) trimmed\n");
                    return;
                }
                JsonObject object;
                object.set("image", operand.image->name());
                object.set("trimmed", bytes);
                json.add(object);
            });
        }
        json.finish();
    }

    uint64_t trim(Image& image) const
    {
        struct lkl_fstrim_range range {};
        range.len = std::numeric_limits<uint64_t>::max();
        range.minlen = minimum_;
        const long result = image.mounted().kernel().syscall(
            __lkl__NR_ioctl, image.root().descriptor(), LKL_FITRIM, &range);
        if (result == -LKL_EOPNOTSUPP || result == -LKL_ENOTTY)
            throw ToolError(ExitCode::file_system,
                            escaped(image.name()) + ": " + image.type() + ": cannot be trimmed");
        if (result < 0) {
            lkl::Error error;
            error.code = static_cast<int>(-result);
            error.what = "trim: " + reason(error);
            throw image.failure(error, "/");
        }
        return range.len;
    }

    uint64_t minimum_ = 0;
    bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> add_trim(CLI::App& parent)
{
    return std::make_unique<Trim>(parent);
}

}  // namespace tools::lkl_tool
