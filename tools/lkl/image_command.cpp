// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image_command.hpp"

#include <set>

#include "common/report.hpp"
#include "lkl/image/image_path.hpp"
#include "lkl/image/images.hpp"

namespace tools::lkl_tool {

void ImageCommand::add_operands(Subcommand& command, const std::string& description,
                                const std::string& value)
{
    // None at all is told by run(); in the shell it means the working directory.
    command.operands(arguments_, value, description, false);
}

void ImageCommand::add_operand(std::vector<Operand>& operands, Image& image,
                               const std::string& path, const std::string& prefix)
{
    if (patterns_ == Patterns::kept || path.find_first_of("*?[") == std::string::npos) {
        operands.push_back({&image, path, prefix + path});
        return;
    }
    const auto add = [&] {
        for (const std::string& found : image.expand(path))
            operands.push_back({&image, found, prefix + found});
    };
    if (needs_all())
        add();
    else
        problems_.guarded(add);
}

void ImageCommand::run()
{
    take_arguments(arguments_);
    wants_progress_ = !options().quiet;
    if (arguments_.empty())
        throw ToolError(ExitCode::usage, "an image is needed (lkl --help shows the options)");
    Images images(options());
    std::vector<ImagePath> paths;
    std::set<std::string> names;
    for (const std::string& argument : arguments_) {
        paths.push_back(parse_image_path(argument));
        names.insert(paths.back().image);
        images.want(paths.back().image, access_ == Access::write);
    }
    images.shut_in();
    several_ = paths.size() > 1;
    std::vector<Operand> operands;
    std::set<std::string> unusable;
    for (const ImagePath& path : paths) {
        if (unusable.contains(path.image))
            continue;
        const auto add = [&] {
            add_operand(operands, images.get(path.image), path.path.empty() ? "/" : path.path,
                        names.size() > 1 ? path.image + ':' : std::string());
        };
        if (needs_all())
            add();
        else if (!problems_.guarded(add))
            unusable.insert(path.image);
    }
    work(operands);
    out_.flush();
    images.finish();
    problems_.throw_if_any();
}

void ImageCommand::run_in(Image& image)
{
    take_arguments(arguments_);
    if (access_ == Access::write)
        require_writable(image);
    several_ = arguments_.size() > 1;
    std::vector<Operand> operands;
    if (arguments_.empty())
        arguments_.emplace_back(".");
    for (const std::string& argument : arguments_)
        add_operand(operands, image, argument, {});
    work(operands);
    out_.flush();
    problems_.throw_if_any();
}

}  // namespace tools::lkl_tool
