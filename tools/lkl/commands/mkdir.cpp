// SPDX-License-Identifier: GPL-2.0-only
// lkl mkdir: makes directories.
#include <memory>
#include <string>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "common/tree/mode_change.hpp"
#include "common/umask.hpp"
#include "lkl/image_command.hpp"

namespace tools::lkl_tool {

namespace {

constexpr uint32_t usual_mode = 0755;

class Mkdir final : public ImageCommand {
public:
    explicit Mkdir(CLI::App& parent) : ImageCommand(Access::write, Patterns::kept)
    {
        Subcommand command(parent, "mkdir", "Make directories");
        add_operands(command, "Directories of images");
        command.flag("-p,--parents", parents_, "And those above; what exists is no error");
        command.option("-m,--mode", mode_text_, "MODE",
                       "Permissions, as chmod(1) takes them; else 755");
        command.notes("Example: lkl mkdir -p disk.img:/srv/www/html");
    }

private:
    void work(const std::vector<Operand>& operands) override
    {
        if (!mode_text_.empty()) {
            const auto change = ModeChange::parse(mode_text_, process_umask());
            if (!change)
                throw ToolError(ExitCode::usage, "-m " + escaped(mode_text_) + ": is no mode");
            mode_ = change->apply(0777, true);
        }
        for (const Operand& operand : operands)
            problems().guarded([&] { make_all(*operand.image, operand.path); });
    }

    void make_all(const Image& image, const std::string& path)
    {
        if (parents_) {
            for (size_t slash = path.find('/', 1); slash != std::string::npos;
                 slash = path.find('/', slash + 1)) {
                if (path.find_first_not_of('/', slash) != std::string::npos)
                    make(image, path.substr(0, slash), usual_mode);
            }
        }
        make(image, path, mode_);
    }

    void make(const Image& image, const std::string& path, uint32_t mode)
    {
        const Place place = image.place(path);
        const auto made = place.directory.make_directory_at(place.name.c_str(), mode & 0777);
        if (made) {
            // What mkdir(2) does not take: set-group-ID and the like.
            const auto set = (mode & 07000) != 0
                                 ? place.directory.set_mode_at(place.name.c_str(), mode)
                                 : lkl::Result<void>();
            if (!set)
                throw image.failure(set.error(), path);
            return;
        }
        if (!parents_ || made.error().code != LKL_EEXIST)
            throw image.failure(made.error(), path);
        // A symbolic link to a directory is as good as one.
        (void)image.open(path, LKL_O_PATH | LKL_O_DIRECTORY);
    }

    bool parents_ = false;
    std::string mode_text_;
    uint32_t mode_ = usual_mode;
};

}  // namespace

std::unique_ptr<Command> add_mkdir(CLI::App& parent)
{
    return std::make_unique<Mkdir>(parent);
}

}  // namespace tools::lkl_tool
