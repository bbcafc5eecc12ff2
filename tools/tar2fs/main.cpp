// SPDX-License-Identifier: GPL-2.0-only
// tar2fs: an archive into the file system of a disk image.
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "common/descriptor.hpp"
#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tar/archive_reader.hpp"
#include "common/tool.hpp"
#include "common/tree/image_writer.hpp"
#include "tar2fs/options.hpp"

namespace tools::tar2fs {

namespace {

Descriptor open_archive(const std::string& path)
{
    Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        throw ToolError(ExitCode::archive,
                        escaped(path) + ": cannot open the archive: " + std::strerror(errno));
    return file;
}

void run(const Options& options, CopyResult& result)
{
    const bool standard_input = options.archive == "-";
    if (standard_input && isatty(STDIN_FILENO) == 1)
        throw ToolError(ExitCode::usage,
                        "standard input is a terminal: redirect it, or name an "
                        "archive file");
    const Descriptor file = standard_input ? Descriptor() : open_archive(options.archive);
    OpenedImage opened = open_for_mount(options.image);
    SandboxRules rules;
    rules.off = !options.image.sandbox;
    rules.read_archive = true;
    enter_sandbox(rules);
    const ImageChoice choice = choose_file_system(options.image, std::move(opened));

    Failures failures(options.fail_fast, options.quiet, &result);
    const int descriptor = standard_input ? STDIN_FILENO : file.get();
    Progress progress(!options.quiet, archive_totals(descriptor));
    // What is no archive is known before the image is touched.
    ArchiveReader reader(descriptor, standard_input ? "standard input" : options.archive,
                         options.members, failures, progress);
    MountedImage image(options.image, choice);
    write_image(image, {{image.open_root(), {}}, {}}, true, failures,
                [&reader](EntrySink& sink) { reader.run(sink); });
}

}  // namespace

}  // namespace tools::tar2fs

int main(int argc, char** argv)
{
    return tools::run_tool("tar2fs", argc, argv, [argc, argv] {
        const auto options = tools::tar2fs::parse_command_line(argc, argv);
        if (options)
            tools::with_json(options->json, [&options](tools::CopyResult& result) {
                tools::tar2fs::run(*options, result);
            });
    });
}
