// SPDX-License-Identifier: GPL-2.0-only
// cptofs: files of the host, or an archive, into the file system of a disk image.
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tar/archive_reader.hpp"
#include "common/tool.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/host_sources.hpp"
#include "common/tree/image_writer.hpp"
#include "common/tree/tree_reader.hpp"
#include "cptofs/options.hpp"

namespace tools::cptofs {

namespace {

void copy_files(const Options& options, const std::vector<std::string>& paths, MountedImage& image,
                const ReadOptions& read_options, Failures& failures)
{
    ImageTop top = open_image_top(image, options.destination, paths.size() > 1);
    const GivenName name = top.given_name();
    const HostErrorTexts texts({}, ExitCode::path);
    write_image(image, std::move(top), false, failures, [&](EntrySink& sink) {
        Progress progress(!options.quiet, host_totals(!options.quiet, paths));
        TreeReader<HostFile> reader(read_options, texts, failures, progress, sink);
        read_host_sources(reader, paths, name, failures);
    });
}

void copy_archive(const Options& options, MountedImage& image, Failures& failures)
{
    ImageTop top = open_image_top(image, options.destination, false);
    ArchiveOptions archive_options;
    archive_options.prefix = top.name;
    archive_options.exclude = options.exclude;
    archive_options.rewrite = options.rewrite;
    write_image(image, std::move(top), true, failures, [&](EntrySink& sink) {
        Progress progress(!options.quiet, archive_totals(STDIN_FILENO));
        ArchiveReader(STDIN_FILENO, "standard input", archive_options, failures, progress)
            .run(sink);
    });
}

void run(const Options& options, CopyResult& result)
{
    OpenedImage opened = open_for_mount(options.image);
    Failures failures(options.fail_fast, options.quiet, &result);
    const bool archive = options.sources.front() == "-";
    SandboxRules rules;
    rules.off = !options.image.sandbox;
    rules.read_archive = archive;
    std::vector<std::string> paths;
    if (!archive) {
        paths = expand_host_sources(options.sources, failures);
        for (const std::string& path : paths)
            rules.read.push_back(readable_part(path));
    }
    enter_sandbox(rules);
    const ImageChoice choice = choose_file_system(options.image, std::move(opened));
    // Copying the image into itself would have no end.
    ReadOptions read_options;
    read_options.exclude = options.exclude;
    read_options.rewrite = options.rewrite;
    read_options.leave_out = host_identity(choice.image.get());
    MountedImage image(options.image, choice);
    if (archive)
        copy_archive(options, image, failures);
    else
        copy_files(options, paths, image, read_options, failures);
}

}  // namespace

}  // namespace tools::cptofs

int main(int argc, char** argv)
{
    return tools::run_tool("cptofs", argc, argv, [argc, argv] {
        const auto options = tools::cptofs::parse_command_line(argc, argv);
        if (options)
            tools::with_json(options->json, [&options](tools::CopyResult& result) {
                tools::cptofs::run(*options, result);
            });
    });
}
