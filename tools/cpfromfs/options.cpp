// SPDX-License-Identifier: GPL-2.0-only
#include "cpfromfs/options.hpp"

#include "common/command_line.hpp"
#include "common/report.hpp"

namespace tools::cpfromfs {

std::optional<Options> parse_command_line(int argc, char** argv)
{
    Options options;
    std::vector<std::string> paths;
    CommandLine line(
        "Copy files out of the file system of a disk image, read-only and without root.",
        "cpfromfs");
    CLI::App& app = line.app();
    app.add_option("-i,--image", options.image.path, "Disk image: a file or a block device")
        ->option_text("IMAGE")
        ->required();
    line.add_image_options(options.image, options.quiet);
    line.add_exclude(options.exclude);
    line.add_json(options.json);
    line.add_copy_options(options.rewrite, options.fail_fast);
    app.add_option("PATH", paths,
                   "Files and directories of the image, patterns too, and last where they go (- is "
                   "a tar archive on standard output)")
        ->option_text("SOURCE... DESTINATION")
        ->required();
    line.add_examples({
        "cpfromfs -i disk.img /etc/fstab .       # a file",
        "cpfromfs -i disk.img -P 3 / backup      # all of partition 3",
        "cpfromfs -i disk.img /home - | tar -t   # a tar to standard output",
    });
    if (!line.parse(argc, argv))
        return std::nullopt;

    refuse_mount_option(options.image, "rw", "the image is never written");
    if (paths.size() < 2)
        throw ToolError(ExitCode::usage,
                        "a source and a destination are needed (cpfromfs --help "
                        "shows the options)");
    options.destination = paths.back();
    paths.pop_back();
    options.sources = std::move(paths);
    if (options.json && options.destination == "-")
        throw ToolError(ExitCode::usage, "--json: standard output is taken by -");
    return options;
}

}  // namespace tools::cpfromfs
