// SPDX-License-Identifier: GPL-2.0-only
// fs2tar: the file system of a disk image as a tar archive.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/file.hpp>
#include <lkl/linux/fcntl.h>

#include "common/destination.hpp"
#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tar/output_stream.hpp"
#include "common/tar/tar_sink.hpp"
#include "common/tool.hpp"
#include "common/tree/counted_sink.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/tree_reader.hpp"
#include "common/tree/tree_totals.hpp"
#include "fs2tar/label_list.hpp"
#include "fs2tar/labelled_sink.hpp"
#include "fs2tar/options.hpp"

namespace tools::fs2tar {

namespace {

lkl::File open_top(MountedImage& image, const std::string& subdirectory)
{
    lkl::Result<lkl::File> root = image.open_root();
    // One step at a time, each without following symbolic links: a link in an
    // image may lead anywhere, out of it even.
    std::string_view rest = subdirectory;
    while (!rest.empty()) {
        const std::string name(rest.substr(0, rest.find('/')));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        if (name.empty() || name == ".")
            continue;
        if (name == "..")
            throw ToolError(ExitCode::usage, "--subdir: \"..\" is not allowed in the path");
        auto next = root->open_at(name.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_NOFOLLOW);
        if (!next) {
            const int code = next.error().code;
            if (code == LKL_ENOENT)
                throw ToolError(ExitCode::path,
                                escaped(subdirectory) + ": no such directory in the image");
            if (code == LKL_ENOTDIR || code == LKL_ELOOP)
                throw ToolError(ExitCode::path, escaped(subdirectory) + ": " + escaped(name) +
                                                    " is not a directory");
            throw image.failure(next.error(), subdirectory);
        }
        root = std::move(next);
    }
    return *std::move(root);
}

ProgressTotals totals(const Options& options, const ReadOptions& read_options, MountedImage& image,
                      const lkl::File& top)
{
    if (!shows_progress(!options.quiet))
        return {};
    // Of all there is, the file system knows it.
    if (options.subdirectory.empty() && options.exclude.empty())
        return image_totals(top);
    return tree_totals(read_options, image,
                       [&top](TreeReader<lkl::File>& reader, Failures& /*failures*/) {
                           auto again = top.open_at(".", LKL_O_RDONLY | LKL_O_DIRECTORY);
                           if (again)
                               reader.read_directory(*std::move(again), {}, {});
                       });
}

void run(const Options& options, CopyResult& result)
{
    OpenedImage opened = open_for_mount(options.image);
    Destination destination(options.archive, {"archive", ".fs2tar-", true, options.image.path});
    std::optional<LabelList> labels;
    if (!options.label_file.empty())
        labels.emplace(options.label_file, options.image.path);
    if (labels && labels->destination().same_file(destination))
        throw ToolError(ExitCode::usage, escaped(options.label_file) + ": is the archive itself");
    SandboxRules rules;
    rules.off = !options.image.sandbox;
    if (!destination.directory().empty())
        rules.rename.push_back(destination.directory());
    if (labels && !labels->destination().directory().empty())
        rules.rename.push_back(labels->destination().directory());
    enter_sandbox(rules);

    const ImageChoice choice = choose_file_system(options.image, std::move(opened));
    MountedImage image(options.image, choice);
    if (image.journal_replayed() && !options.quiet)
        report(escaped(options.image.path) +
               ": its journal was replayed in memory; the image is unchanged");
    lkl::File top = open_top(image, options.subdirectory);

    ReadOptions read_options;
    read_options.image = true;
    read_options.link_attributes = labels.has_value();
    read_options.exclude = options.exclude;
    // An archive with a part missing is none. What is encrypted is not for us to read, and
    // a damage of the image it is not.
    Failures failures(true, options.quiet, &result, LKL_ENOKEY);
    OutputStream out(
        make_byte_sink(destination.descriptor(), options.compression, destination.name()));
    {
        Progress progress(!options.quiet, totals(options, read_options, image, top));
        out.show_waiting(progress);
        TarSink archive(out);
        std::optional<LabelledSink> labelled;
        EntrySink* sink = &archive;
        if (labels)
            sink = &labelled.emplace(archive, *labels);
        CountedSink counted(*sink, failures);
        TreeReader<lkl::File>(read_options, image, failures, progress, counted)
            .read_directory(std::move(top), {}, {});
        archive.finish();
    }
    // Neither gets its name before both are there.
    destination.complete();
    if (labels)
        labels->commit();
    destination.commit();
    failures.throw_if_any();
}

}  // namespace

}  // namespace tools::fs2tar

int main(int argc, char** argv)
{
    return tools::run_tool("fs2tar", argc, argv, [argc, argv] {
        const auto options = tools::fs2tar::parse_command_line(argc, argv);
        if (options)
            tools::with_json(options->json, [&options](tools::CopyResult& result) {
                tools::fs2tar::run(*options, result);
            });
    });
}
