// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/kernel_filling.hpp"

#include <cstring>
#include <utility>

#include <fcntl.h>
#include <lkl/disk.hpp>

#include "common/child_process.hpp"
#include "common/tree/image_writer.hpp"

namespace tools::mkimage {

namespace {

// Opens all, then shuts the process in and mounts.
class Mounting {
public:
    Mounting(const Context& context, const FileSystem& type, const VolumeFile& file,
             const Source* source)
        : request_(context.kernel), choice_{open(file), 0, std::string(type.kernel_type), 0}
    {
        request_.path = file.shown;
        request_.type = type.kernel_type;
        request_.writable = true;
        SandboxRules rules;
        if (source != nullptr)
            source->add_to(rules);
        // Without a sandbox, that has been told already.
        if (request_.sandbox)
            enter_sandbox(rules);
    }

    // May be called when the source has been looked at.
    MountedImage& mount() { return image_.emplace(request_, choice_); }

private:
    static OpenedImage open(const VolumeFile& file)
    {
        Descriptor image(fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0));
        auto kernel = open_kernel_image(lkl::default_kernel_image());
        auto disk = lkl::open_file_disk(image.get(), file.shown);
        if (!disk)
            return {std::move(image), std::move(kernel), std::move(disk).error()};
        return {std::move(image), std::move(kernel),
                std::shared_ptr<lkl::BlockBackend>(*std::move(disk))};
    }

    ImageRequest request_;
    ImageChoice choice_;
    std::optional<MountedImage> image_;
};

}  // namespace

void fill_by_kernel(const Context& context, const FileSystem& type, const VolumeFile& file,
                    const Source& source, const ProgressTotals& totals)
{
    (void)run_in_child([&] {
        Mounting mounting(context, type, file, &source);
        MountedImage& image = mounting.mount();
        // What cannot be written ends the work: there is no image with a part missing.
        Failures writing(true, context.copy.quiet, context.result);
        Failures reading(context.copy.fail_fast, context.copy.quiet, context.result);
        write_image(image, {{image.open_root(), {}}, {}}, source.is_archive(), writing,
                    [&](EntrySink& sink) {
                        Progress progress(!context.copy.quiet, totals);
                        source.give(sink, context.copy, Source::Depth::all, Source::Order::fast,
                                    reading, progress);
                    });
        reading.throw_if_any();
        return std::string();
    });
}

Room ask_for_room(const Context& context, const FileSystem& type, const VolumeFile& file)
{
    const std::string answer = run_in_child([&] {
        Mounting mounting(context, type, file, nullptr);
        MountedImage& image = mounting.mount();
        Room room;
        {
            const lkl::File top = image.open_root();
            const auto stat = top.stat_file_system();
            if (!stat)
                throw image.failure(stat.error(), "/");
            room.block_size = static_cast<uint64_t>(stat->f_bsize);
            room.free = room.block_size * static_cast<uint64_t>(stat->f_bavail);
        }
        image.unmount();
        return std::string(reinterpret_cast<const char*>(&room), sizeof room);
    });
    Room room;
    std::memcpy(&room, answer.data(), sizeof room);
    return room;
}

}  // namespace tools::mkimage
