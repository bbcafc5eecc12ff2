// SPDX-License-Identifier: GPL-2.0-only
#include "cptofs/options.hpp"

#include <algorithm>

#include "common/command_line.hpp"
#include "common/report.hpp"

namespace tools::cptofs {

std::optional<Options> parse_command_line(int argc, char** argv)
{
    Options options;
    options.image.writable = true;
    std::vector<std::string> paths;
    CommandLine line("Copy files into the file system of a disk image, without root.", "cptofs");
    CLI::App& app = line.app();
    app.add_option("-i,--image", options.image.path, "Disk image: a file or a block device")
        ->option_text("IMAGE")
        ->required();
    line.add_image_options(options.image, options.quiet);
    app.add_option("-s,--selinux", options.rewrite.label, "SELinux label of all files")
        ->option_text("LABEL");
    line.add_exclude(options.exclude);
    line.add_json(options.json);
    line.add_copy_options(options.rewrite, options.fail_fast);
    app.add_option("PATH", paths,
                   "Files and directories (- is a tar archive on standard input), and last where "
                   "they go in the image")
        ->option_text("SOURCE... DESTINATION")
        ->required();
    line.add_examples({
        "cptofs -i disk.img -P 1 rootfs/. /      # a tree into partition 1",
        "cptofs -i disk.img --owner 0:0 a b /opt # two files, as root's",
        "tar -c . | cptofs -i disk.img - /srv    # a tar from standard input",
    });
    if (!line.parse(argc, argv))
        return std::nullopt;

    refuse_mount_option(options.image, "ro", "the image is written");
    if (paths.size() < 2)
        throw ToolError(ExitCode::usage,
                        "a source and a destination are needed (cptofs --help "
                        "shows the options)");
    options.destination = paths.back();
    paths.pop_back();
    options.sources = std::move(paths);
    if (options.sources.size() > 1 &&
        std::find(options.sources.begin(), options.sources.end(), "-") != options.sources.end())
        throw ToolError(ExitCode::usage, "-: standard input must be the only source");
    return options;
}

}  // namespace tools::cptofs
