// SPDX-License-Identifier: GPL-2.0-only
// fs2tar: the file system of a disk image as a tar archive.
#include <algorithm>
#include <csignal>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/file.hpp>
#include <lkl/linux/fcntl.h>

#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"
#include "fs2tar/destination.hpp"
#include "fs2tar/label_list.hpp"
#include "fs2tar/options.hpp"
#include "fs2tar/output_stream.hpp"
#include "fs2tar/walker.hpp"

namespace tools::fs2tar {

namespace {

lkl::File open_top(MountedImage& image, const std::string& subdirectory)
{
    auto root =
        lkl::File::open(image.kernel(), image.root().c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!root)
        throw image.failure(root.error(), "/");
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

// What the file system says it holds. Only a guide: nothing else rests on it.
ProgressTotals totals(const lkl::File& top)
{
    ProgressTotals totals;
    const auto stat = top.stat_file_system();
    if (!stat)
        return totals;
    const auto used = [](auto all, auto free) {
        return all > free && free >= 0 ? static_cast<uint64_t>(all - free) : 0;
    };
    totals.files = used(stat->f_files, stat->f_ffree);
    const uint64_t block = stat->f_bsize > 0 ? static_cast<uint64_t>(stat->f_bsize) : 0;
    if (__builtin_mul_overflow(used(stat->f_blocks, stat->f_bfree), block, &totals.bytes))
        totals.bytes = 0;
    return totals;
}

void run(const Options& options)
{
    const ImageChoice choice = choose_file_system(options.image);
    Destination destination(options.archive, options.image.path);
    std::optional<LabelList> labels;
    if (!options.label_file.empty())
        labels.emplace(options.label_file);

    MountedImage image(options.image, choice);
    if (image.journal_replayed() && !options.quiet)
        report(escaped(options.image.path) +
               ": its journal was replayed in memory; the image is unchanged");
    lkl::File top = open_top(image, options.subdirectory);

    WalkOptions walk_options;
    walk_options.exclude = options.exclude;
    walk_options.labels = labels ? &*labels : nullptr;
    walk_options.quiet = options.quiet;
    OutputStream out(make_sink(destination.descriptor(), options.compression, destination.name()));
    {
        Progress progress(!options.quiet,
                          options.subdirectory.empty() ? totals(top) : ProgressTotals());
        Walker walker(image, walk_options, out, progress);
        walker.run(std::move(top));
        PaxWriter(out).end_archive();
        out.finish();
    }
    if (labels)
        labels->close();
    destination.commit();
}

}  // namespace

}  // namespace tools::fs2tar

int main(int argc, char** argv)
{
    using tools::ExitCode;
    tools::set_tool_name("fs2tar");
    // A reader of standard output that goes away is an error to report.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const auto options = tools::fs2tar::parse_command_line(argc, argv);
        if (options)
            tools::fs2tar::run(*options);
        return static_cast<int>(ExitCode::ok);
    } catch (const tools::ToolError& error) {
        tools::report(error.what());
        return static_cast<int>(error.code());
    } catch (const std::bad_alloc&) {
        tools::report("out of memory");
    } catch (const std::exception& error) {
        tools::report(error.what());
    }
    return static_cast<int>(ExitCode::internal);
}
