// SPDX-License-Identifier: GPL-2.0-only
// cptofs: files of the host, or an archive, into the file system of a disk image.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <unistd.h>

#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tar/archive_reader.hpp"
#include "common/tool.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/image_writer.hpp"
#include "common/tree/sources.hpp"
#include "common/tree/tree_reader.hpp"
#include "cptofs/options.hpp"

namespace tools::cptofs {

namespace {

Target<lkl::File> open_target(MountedImage& image, const std::string& path, bool many)
{
    const lkl::File root = image.open_root();
    auto target = find_target<lkl::File>(path, many, [&root](const char* name) {
        return root.open_in_root(name, LKL_O_RDONLY | LKL_O_DIRECTORY);
    });
    if (target)
        return *std::move(target);
    const int code = target.error().code;
    if (code == LKL_ENOENT)
        throw ToolError(ExitCode::path, escaped(path) + ": no such directory in the image");
    if (code == LKL_ENOTDIR)
        throw ToolError(ExitCode::path, escaped(path) + ": is not a directory in the image");
    throw image.failure(target.error(), path);
}

// Takes the directory out of the target.
ImageTop image_top(Target<lkl::File>& target, const Options& options)
{
    const std::string& path = options.destination;
    return {std::move(target.directory), target.name.empty() ? path : split_source(path).directory};
}

// Sources with their patterns replaced by what matches.
std::vector<std::string> expand(const std::vector<std::string>& sources, Failures& failures)
{
    std::vector<std::string> paths;
    for (const std::string& source : sources) {
        std::vector<std::string> found = expand_on_host(source);
        if (found.empty())
            failures.add({ExitCode::path, escaped(source) + ": nothing matches"});
        paths.insert(paths.end(), found.begin(), found.end());
    }
    return paths;
}

// What is read of a source: a symbolic link itself, even with a slash behind it.
std::string readable_part(const std::string& path)
{
    const SourcePath source = split_source(path);
    return source.name.empty() ? path : source.directory + '/' + source.name;
}

void read_source(TreeReader<HostFile>& reader, const Target<lkl::File>& target,
                 const std::string& path, Failures& failures)
{
    const SourcePath source = split_source(path);
    // Of a directory that is only on the way nothing is read.
    const int access = source.name.empty() ? LKL_O_RDONLY : LKL_O_PATH;
    auto directory = HostFile::open(source.directory.c_str(), access | LKL_O_DIRECTORY);
    if (!directory) {
        failures.add(
            {ExitCode::path, escaped(path) + ": cannot " + escaped(directory.error().what)});
        return;
    }
    if (source.name.empty())
        reader.read_directory(*std::move(directory), target.name, path);
    else
        reader.read(*std::move(directory), source.name, target_path(target, source), path);
}

void copy_files(const Options& options, const std::vector<std::string>& paths, MountedImage& image,
                const ReadOptions& read_options, Failures& failures)
{
    Target<lkl::File> target = open_target(image, options.destination, paths.size() > 1);
    const HostErrorTexts texts({}, ExitCode::path);
    write_image(image, image_top(target, options), false, failures, [&](EntrySink& sink) {
        Progress progress(!options.quiet, {});
        TreeReader<HostFile> reader(read_options, texts, failures, progress, sink);
        for (const std::string& path : paths)
            read_source(reader, target, path, failures);
    });
}

void copy_archive(const Options& options, MountedImage& image, Failures& failures)
{
    Target<lkl::File> target = open_target(image, options.destination, false);
    ArchiveOptions archive_options;
    archive_options.prefix = target.name;
    archive_options.exclude = options.exclude;
    archive_options.rewrite = options.rewrite;
    write_image(image, image_top(target, options), true, failures, [&](EntrySink& sink) {
        Progress progress(!options.quiet, {});
        ArchiveReader(STDIN_FILENO, "standard input", archive_options, failures, progress)
            .run(sink);
    });
}

void run(const Options& options)
{
    OpenedImage opened = open_for_mount(options.image);
    Failures failures(options.fail_fast, options.quiet);
    const bool archive = options.sources.front() == "-";
    SandboxRules rules;
    rules.off = !options.image.sandbox;
    rules.read_archive = archive;
    std::vector<std::string> paths;
    if (!archive) {
        paths = expand(options.sources, failures);
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
    return tools::run_tool("cptofs", [argc, argv] {
        const auto options = tools::cptofs::parse_command_line(argc, argv);
        if (options)
            tools::cptofs::run(*options);
    });
}
