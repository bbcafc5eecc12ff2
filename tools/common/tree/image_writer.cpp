// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/image_writer.hpp"

#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "common/report.hpp"
#include "common/tree/direct_sink.hpp"
#include "common/tree/entry_pipe.hpp"
#include "common/tree/tree_writer.hpp"

namespace tools {

ImageTop open_image_top(MountedImage& image, const std::string& destination, bool many)
{
    const lkl::File root = image.open_root();
    auto target = find_target<lkl::File>(destination, many, [&root](const char* name) {
        return root.open_in_root(name, LKL_O_RDONLY | LKL_O_DIRECTORY);
    });
    if (target) {
        ImageTop top{*std::move(target), destination};
        if (!top.name.empty())
            top.path = split_source(destination).directory;
        return top;
    }
    const int code = target.error().code;
    if (code == LKL_ENOENT)
        throw ToolError(ExitCode::path, escaped(destination) + ": no such directory in the image");
    if (code == LKL_ENOTDIR)
        throw ToolError(ExitCode::path, escaped(destination) + ": is not a directory in the image");
    throw image.failure(target.error(), destination);
}

void write_into(MountedImage& image, ImageTop top, bool any_order, Failures& failures,
                const std::function<void(EntrySink&)>& give)
{
    WriteOptions options;
    options.private_tree = true;
    options.any_order = any_order;
    const TextsBelow texts(image, top.path);
    TreeWriter<lkl::File> writer(std::move(top.directory), options, texts, failures);
    EntryPipe pipe(writer);
    give(pipe);
    pipe.finish();
}

void write_within(MountedImage& image, ImageTop top, Failures& failures,
                  const std::function<void(EntrySink&)>& give)
{
    WriteOptions options;
    options.private_tree = true;
    const TextsBelow texts(image, top.path);
    TreeWriter<lkl::File> writer(std::move(top.directory), options, texts, failures);
    DirectSink sink(writer);
    give(sink);
    writer.finish();
}

void write_image(MountedImage& image, ImageTop top, bool any_order, Failures& failures,
                 const std::function<void(EntrySink&)>& give)
{
    write_into(image, std::move(top), any_order, failures, give);
    image.unmount();
    failures.throw_if_any();
}

}  // namespace tools
