// SPDX-License-Identifier: GPL-2.0-only
// cpfromfs: files of the file system of a disk image to the host, or to an archive.
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "common/destination.hpp"
#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tar/byte_sink.hpp"
#include "common/tar/output_stream.hpp"
#include "common/tar/tar_sink.hpp"
#include "common/tool.hpp"
#include "common/tree/host_writer.hpp"
#include "common/tree/image_sources.hpp"
#include "common/tree/tree_reader.hpp"
#include "common/tree/tree_totals.hpp"
#include "cpfromfs/options.hpp"

namespace tools::cpfromfs {

namespace {

ProgressTotals totals(const Options& options, const ReadOptions& read_options, MountedImage& image,
                      const lkl::File& root)
{
    if (!shows_progress(!options.quiet))
        return {};
    // Of all there is, the file system knows it.
    if (options.sources == std::vector<std::string>{"/"} && options.exclude.empty())
        return image_totals(root);
    return tree_totals(read_options, image, [&](TreeReader<lkl::File>& reader, Failures& failures) {
        read_image_sources(reader, image, root, options.sources, {}, failures);
    });
}

// Gives all sources to the sink, as files of `name` or, if that is empty, of theirs.
void read_sources(const Options& options, MountedImage& image, const GivenName& name,
                  Failures& failures, EntrySink& sink)
{
    ReadOptions read_options;
    read_options.image = true;
    read_options.exclude = options.exclude;
    read_options.rewrite = options.rewrite;
    const lkl::File root = image.open_root();
    Progress progress(!options.quiet, totals(options, read_options, image, root));
    TreeReader<lkl::File> reader(read_options, image, failures, progress, sink);
    read_image_sources(reader, image, root, options.sources, name, failures);
}

void copy_to_host(const Options& options, MountedImage& image, HostTop top, Failures& failures)
{
    const GivenName name = top.given_name();
    write_host(std::move(top), image.host_files(), failures,
               [&](EntrySink& sink) { read_sources(options, image, name, failures, sink); });
}

void copy_to_archive(const Options& options, MountedImage& image, Failures& failures)
{
    OutputStream out(make_byte_sink(STDOUT_FILENO, Compression::none, "standard output"));
    TarSink sink(out);
    read_sources(options, image, {}, failures, sink);
    sink.finish();
}

void run(const Options& options, CopyResult& result)
{
    const bool archive = options.destination == "-";
    if (archive && isatty(STDOUT_FILENO) == 1)
        throw ToolError(ExitCode::usage,
                        "standard output is a terminal: redirect it, or name a "
                        "destination");
    if (archive)
        refuse_standard_output(options.image.path);
    OpenedImage opened = open_for_mount(options.image);
    SandboxRules rules;
    rules.off = !options.image.sandbox;
    HostTop top;
    if (!archive) {
        top = open_host_top(options.destination, options.sources);
        rules.write.push_back(top.path);
    }
    enter_sandbox(rules);
    const ImageChoice choice = choose_file_system(options.image, std::move(opened));
    MountedImage image(options.image, choice);
    if (image.journal_replayed() && !options.quiet)
        report(escaped(options.image.path) +
               ": its journal was replayed in memory; the image is unchanged");
    Failures failures(options.fail_fast, options.quiet, &result);
    if (archive)
        copy_to_archive(options, image, failures);
    else
        copy_to_host(options, image, std::move(top), failures);
    failures.throw_if_any();
}

}  // namespace

}  // namespace tools::cpfromfs

int main(int argc, char** argv)
{
    return tools::run_tool("cpfromfs", argc, argv, [argc, argv] {
        const auto options = tools::cpfromfs::parse_command_line(argc, argv);
        if (options)
            tools::with_json(options->json, [&options](tools::CopyResult& result) {
                tools::cpfromfs::run(*options, result);
            });
    });
}
