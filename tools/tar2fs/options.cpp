// SPDX-License-Identifier: GPL-2.0-only
#include "tar2fs/options.hpp"

#include "common/command_line.hpp"
#include "common/report.hpp"

namespace tools::tar2fs {

std::optional<Options> parse_command_line(int argc, char** argv)
{
    Options options;
    options.image.writable = true;
    std::string subdirectory;
    CommandLine line(
        "Extract an archive into the file system of a disk image, without root: the "
        "inverse of fs2tar.",
        "tar2fs");
    CLI::App& app = line.app();
    app.add_option("ARCHIVE", options.archive,
                   "Archive to read, of any format and compression; - is standard input")
        ->required();
    app.add_option("IMAGE", options.image.path, "Disk image: a file or a block device")->required();
    line.add_image_options(options.image, options.quiet);
    app.add_option("--subdir", subdirectory, "Extract below this directory of the image")
        ->option_text("DIR");
    app.add_option("-s,--selinux", options.members.rewrite.label, "SELinux label of all files")
        ->option_text("LABEL");
    line.add_exclude(options.members.exclude);
    line.add_json(options.json);
    line.add_copy_options(options.members.rewrite, options.fail_fast);
    line.add_examples({
        "tar2fs root.tar.zst disk.img            # the inverse of fs2tar",
        "fs2tar old.img - | tar2fs - new.img     # from one image to another",
    });
    if (!line.parse(argc, argv))
        return std::nullopt;

    refuse_mount_option(options.image, "ro", "the image is written");
    const auto prefix = path_below(subdirectory);
    if (!prefix)
        throw ToolError(ExitCode::usage, "--subdir: \"..\" is not allowed in the path");
    options.members.prefix = *prefix;
    return options;
}

}  // namespace tools::tar2fs
