// SPDX-License-Identifier: GPL-2.0-only
// lkl cp: copies files into images, out of them, and between them.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/report.hpp"
#include "common/tree/host_sources.hpp"
#include "lkl/command.hpp"
#include "lkl/copy/copy.hpp"
#include "lkl/image/image_path.hpp"
#include "lkl/image/images.hpp"
#include "lkl/shell/shell_command.hpp"

namespace tools::lkl_tool {

namespace {

class Cp final : public Command, public ShellCommand {
public:
    explicit Cp(CLI::App& parent)
    {
        Subcommand command(parent, "cp", "Copy files, with all attributes, as cp -a");
        command.operands(
            paths_, "SOURCE... DESTINATION",
            "Files of images (IMAGE:PATH, IMAGE@PARTITION:PATH) or of the host, and where to");
        command.flag("-r,-R,-a,--recursive", copy_.recursive, "Directories with all they contain");
        command.flag("--json", json_, "Print what was copied as JSON, and what was not");
        command.notes(
            "Within one image, blocks are shared where the file system can.\n"
            "Examples: lkl cp disk.img:/etc/fstab .\n"
            "          lkl cp -r site disk.img:/var/www\n"
            "          lkl cp a.img@2:/etc/fstab b.img@1:/     # partitions 2 and 1");
    }

    void run() override
    {
        with_json(json_, [this](CopyResult& result) { copy(result); });
    }
    void run_in(Image& image) override;

private:
    void copy(CopyResult& result);
    std::string take_destination();

    std::vector<std::string> paths_;
    CopyOptions copy_;
    bool json_ = false;
};

// The image that all paths are in. None: they are of the host.
std::optional<std::string> common_image(const std::vector<std::optional<ImagePath>>& paths)
{
    std::optional<std::string> image;
    if (paths.front())
        image = paths.front()->image;
    for (const auto& path : paths) {
        if (path.has_value() != image.has_value() || (path && path->image != *image))
            throw ToolError(ExitCode::usage,
                            "the sources must be files of one image, or of the host");
    }
    return image;
}

std::string Cp::take_destination()
{
    if (paths_.size() < 2)
        throw ToolError(ExitCode::usage,
                        "a source and a destination are needed (lkl cp --help shows the options)");
    std::string destination = std::move(paths_.back());
    paths_.pop_back();
    return destination;
}

void Cp::copy(CopyResult& result)
{
    const std::string destination = take_destination();
    const auto to = parse_either_side(destination);
    std::vector<std::optional<ImagePath>> sources;
    for (const std::string& path : paths_)
        sources.push_back(parse_either_side(path));
    const auto from = common_image(sources);
    if (!from && !to)
        throw ToolError(ExitCode::usage,
                        "neither source nor destination is IMAGE:PATH, with an "
                        "image that exists");
    copy_.quiet = options().quiet;
    Failures failures(false, copy_.quiet, &result);
    Images images(options());
    SandboxRules rules;
    std::vector<std::string> host_paths;
    HostTop top;
    std::vector<std::string> inside;
    for (const auto& source : sources) {
        if (source)
            inside.push_back(source->path);
    }
    if (from) {
        images.want(*from, false);
    } else {
        host_paths = expand_host_sources(paths_, failures);
        for (const std::string& path : host_paths)
            rules.read.push_back(readable_part(path));
    }
    if (to) {
        images.want(to->image, true);
    } else {
        top = open_host_top(destination, inside);
        rules.write.push_back(top.path);
    }
    images.shut_in(std::move(rules));
    if (!to)
        copy_to_host(images.get(*from), inside, std::move(top), copy_, failures);
    else if (!from)
        copy_from_host(host_paths, images.get(to->image), to->path, copy_, failures);
    else
        copy_between(images.get(*from), inside, images.get(to->image), to->path, copy_, failures);
    images.finish();
    failures.throw_if_any();
}

void Cp::run_in(Image& image)
{
    const std::string destination = take_destination();
    require_writable(image);
    copy_.quiet = true;
    with_json(json_, [&](CopyResult& result) {
        Failures failures(false, false, &result);
        copy_between(image, paths_, image, destination, copy_, failures);
        failures.throw_if_any();
    });
}

}  // namespace

std::unique_ptr<Command> add_cp(CLI::App& parent)
{
    return std::make_unique<Cp>(parent);
}

}  // namespace tools::lkl_tool
