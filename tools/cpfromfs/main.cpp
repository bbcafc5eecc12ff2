// SPDX-License-Identifier: GPL-2.0-only
// cpfromfs: files of the file system of a disk image to the host, or to an archive.
#include <string>
#include <utility>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tar/byte_sink.hpp"
#include "common/tar/output_stream.hpp"
#include "common/tar/tar_sink.hpp"
#include "common/tool.hpp"
#include "common/tree/entry_pipe.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/sources.hpp"
#include "common/tree/tree_reader.hpp"
#include "common/tree/tree_writer.hpp"
#include "cpfromfs/options.hpp"

namespace tools::cpfromfs {

namespace {

constexpr int open_directory = LKL_O_RDONLY | LKL_O_DIRECTORY;

// Many: the destination must exist, since it cannot be one file's name.
bool may_be_many(const std::vector<std::string>& sources)
{
    return sources.size() > 1 || sources.front().find_first_of("*?[") != std::string::npos;
}

Target<HostFile> open_target(const Options& options)
{
    const std::string& path = options.destination;
    auto target = find_target<HostFile>(path, may_be_many(options.sources), [](const char* name) {
        return HostFile::open(name, open_directory);
    });
    if (!target)
        throw ToolError(ExitCode::output,
                        escaped(path) + ": cannot " + escaped(target.error().what));
    return *std::move(target);
}

// The directory of the target.
std::string path_of(const Target<HostFile>& target, const Options& options)
{
    return target.name.empty() ? options.destination : split_source(options.destination).directory;
}

// Sources with their patterns replaced by what matches.
std::vector<std::string> expand(MountedImage& image, const lkl::File& root,
                                const std::vector<std::string>& sources, Failures& failures)
{
    std::vector<std::string> paths;
    for (const std::string& source : sources) {
        const auto found = expand_in_image(root, source);
        if (!found)
            failures.add(image.failure(found.error(), source));
        else if (found->empty())
            failures.add({ExitCode::path, escaped(source) + ": nothing matches in the image"});
        else
            paths.insert(paths.end(), found->begin(), found->end());
    }
    return paths;
}

// Gives all sources to the sink, as files of `name` or, if that is empty, of theirs.
void read_sources(const Options& options, MountedImage& image, const std::string& name,
                  Failures& failures, EntrySink& sink)
{
    ReadOptions read_options;
    read_options.image = true;
    read_options.exclude = options.exclude;
    read_options.rewrite = options.rewrite;
    const lkl::File root = image.open_root();
    Progress progress(!options.quiet,
                      options.sources.front() == "/" ? image_totals(root) : ProgressTotals());
    TreeReader<lkl::File> reader(read_options, image, failures, progress, sink);
    for (const std::string& path : expand(image, root, options.sources, failures)) {
        const SourcePath source = split_source(path);
        auto directory = root.open_in_root(source.directory.c_str(), open_directory);
        if (!directory) {
            const int code = directory.error().code;
            if (code == LKL_ENOENT || code == LKL_ENOTDIR)
                failures.add({ExitCode::path, escaped(path) + ": no such file in the image"});
            else
                failures.add(image.failure(directory.error(), path));
            continue;
        }
        if (source.name.empty())
            reader.read_directory(*std::move(directory), name, path);
        else
            reader.read(*std::move(directory), source.name, name.empty() ? source.name : name,
                        path);
    }
}

void copy_to_host(const Options& options, MountedImage& image, Target<HostFile> target,
                  Failures& failures)
{
    umask(0);  // modes are those of the image
    WriteOptions write_options;
    write_options.uid = geteuid();
    write_options.gid = getegid();
    const std::string directory = path_of(target, options);
    const HostErrorTexts texts(directory == "."           ? ""
                               : directory.ends_with('/') ? directory
                                                          : directory + '/',
                               ExitCode::output);
    TreeWriter<HostFile> writer(std::move(target.directory), write_options, texts, failures);
    EntryPipe pipe(writer);
    read_sources(options, image, target.name, failures, pipe);
    pipe.finish();
}

void copy_to_archive(const Options& options, MountedImage& image, Failures& failures)
{
    OutputStream out(make_byte_sink(STDOUT_FILENO, Compression::none, "standard output"));
    TarSink sink(out);
    read_sources(options, image, {}, failures, sink);
    sink.finish();
}

void run(const Options& options)
{
    const bool archive = options.destination == "-";
    if (archive && isatty(STDOUT_FILENO) == 1)
        throw ToolError(ExitCode::usage,
                        "standard output is a terminal: redirect it, or name a "
                        "destination");
    OpenedImage opened = open_for_mount(options.image);
    SandboxRules rules;
    rules.off = !options.image.sandbox;
    Target<HostFile> target;
    if (!archive) {
        target = open_target(options);
        rules.write.push_back(path_of(target, options));
    }
    enter_sandbox(rules);
    const ImageChoice choice = choose_file_system(options.image, std::move(opened));
    MountedImage image(options.image, choice);
    if (image.journal_replayed() && !options.quiet)
        report(escaped(options.image.path) +
               ": its journal was replayed in memory; the image is unchanged");
    Failures failures(options.fail_fast, options.quiet);
    if (archive)
        copy_to_archive(options, image, failures);
    else
        copy_to_host(options, image, std::move(target), failures);
    failures.throw_if_any();
}

}  // namespace

}  // namespace tools::cpfromfs

int main(int argc, char** argv)
{
    return tools::run_tool("cpfromfs", [argc, argv] {
        const auto options = tools::cpfromfs::parse_command_line(argc, argv);
        if (options)
            tools::cpfromfs::run(*options);
    });
}
