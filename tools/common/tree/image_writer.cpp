// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/image_writer.hpp"

#include <utility>

#include "common/tree/entry_pipe.hpp"
#include "common/tree/tree_writer.hpp"

namespace tools {

void write_image(MountedImage& image, ImageTop top, bool any_order, Failures& failures,
                 const std::function<void(EntrySink&)>& give)
{
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
    image.unmount();
    failures.throw_if_any();
}

}  // namespace tools
