// SPDX-License-Identifier: GPL-2.0-only
#include "common/mounted_image.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <lkl/asm/unistd.h>
#include <lkl/file.hpp>
#include <lkl/linux/mount.h>

#include "common/image_probe.hpp"
#include "common/kernel_partitions.hpp"
#include "common/mount_defaults.hpp"

namespace tools {

namespace {

[[noreturn]] void fail(const ImageRequest& request, ExitCode code, const std::string& why)
{
    throw ToolError(code, escaped(request.shown()) + ": " + why);
}

[[noreturn]] void fail_with_partitions(const ImageRequest& request, const ImageContent& image,
                                       const std::string& why)
{
    for (const PartitionContent& partition : image.partitions)
        report(escaped(request.shown()) + ": " + describe(partition));
    fail(request, ExitCode::partition, why);
}

// The content that the request means, and checks that there is such a thing.
const Content& choose_content(const ImageRequest& request, const ImageContent& image,
                              unsigned& number)
{
    number = request.partition.value_or(0);
    if (!request.partition) {
        // A file system that begins at 0 is what a disk without a partition
        // table has; an ISO image for both CD and USB stick has a table too.
        if (image.whole.file_system || image.partitions.empty())
            return image.whole;
        fail_with_partitions(request, image,
                             "has a partition table (" + image.table + "): name a partition with " +
                                 request.partition_option + " (0 is the whole disk)");
    }
    if (number == 0)
        return image.whole;
    const auto found =
        std::find_if(image.partitions.begin(), image.partitions.end(),
                     [number](const PartitionContent& p) { return p.number == number; });
    if (found != image.partitions.end()) {
        if (found->offset >= image.size || found->size > image.size - found->offset)
            fail(request, ExitCode::partition,
                 "partition " + std::to_string(number) +
                     " lies beyond the end of the image, which is cut off");
        return found->content;
    }
    fail_with_partitions(
        request, image,
        "partition " + std::to_string(number) +
            (image.table.empty() ? ": there is no partition table" : ": no such partition"));
}

// A kernel is started for them, so only where the choice depends on them.
bool needs_partitions_of_kernel(const ImageRequest& request, const OpenedImage& opened,
                                const ImageContent& image)
{
    if (!kernel_may_know_partitions(image))
        return false;
    if (request.partition)
        return *request.partition != 0;
    // What is no disk for the kernel, of an odd size for instance, has none.
    if (image.whole.file_system || !opened.disk)
        return false;
    // Of a type that libblkid does not know the kernel could take anything for a table.
    return request.type.empty() || !image.partitions.empty();
}

// False for what the log of a sound file system says nothing about, whatever else
// stands there.
bool may_be_explained(int code)
{
    constexpr std::array plain{EPERM,  ENOENT, EEXIST, ENOTDIR,      EISDIR, EFBIG,
                               ENOSPC, EMLINK, ELOOP,  ENAMETOOLONG, EDQUOT, EOPNOTSUPP};
    return std::find(plain.begin(), plain.end(), code) == plain.end();
}

}  // namespace

ImageChoice choose_file_system(const ImageRequest& request, OpenedImage opened)
{
    ImageChoice choice{std::move(opened), 0, {}, 0};
    ImageContent image = probe_image(choice.image.get(), request.path);
    if (needs_partitions_of_kernel(request, choice, image))
        look_for_partitions(request, choice, image);
    const Content& content = choose_content(request, image, choice.partition);
    if (choice.partition != 0)
        choice.block_size = image.table_block_size;
    choice.type = request.type;
    if (!choice.type.empty())
        return choice;

    const std::string where = choice.partition == 0
                                  ? std::string()
                                  : "partition " + std::to_string(choice.partition) + ": ";
    if (content.ambiguous)
        fail(
            request, ExitCode::file_system,
            where + "has signatures of several file systems: name one with " + request.type_option);
    if (content.type.empty())
        fail(request, ExitCode::file_system, where + "no file system found");
    if (!content.file_system)
        fail(request, ExitCode::file_system,
             where + "holds " + escaped(content.type) + ", which is not a file system");
    choice.type = kernel_type(content.type);
    return choice;
}

MountedImage::MountedImage(const ImageRequest& request, const ImageChoice& choice)
    : trace_(request.trace),
      image_(request.shown()),
      type_(choice.type),
      host_files_(choice.host_files),
      writable_(request.writable),
      kernel_(request, choice)
{
    if (trace_)
        trace_->begin(kernel());
    if (!request.type.empty())
        require_disk_type(request);

    lkl::MountOptions options;
    options.type = choice.type;
    options.partition = choice.partition;
    options.add(default_mount_options(choice.type));
    options.add(request.options);
    options.flags |= LKL_MS_NODEV | LKL_MS_NOSUID | LKL_MS_NOEXEC;
    lkl::Error error;
    kernel_.log().clear();
    if (writable_) {
        // Files are made with the very mode that is asked for.
        (void)kernel().syscall(__lkl__NR_umask, 0);
        if (!try_mount(choice, options, false, error))
            throw_mount_error(request, choice, error);
        require_writable(request);
        return;
    }
    options.flags |= LKL_MS_RDONLY;

    // A file system with a dirty journal must write before it can be read, and
    // says so in different ways: EROFS mostly, EINVAL some. So whatever the
    // reason of a failure, unless writing cannot help, the second try is on a
    // disk that takes writes, in memory.
    if (try_mount(choice, options, false, error))
        return;
    if (error.code != ENODEV && error.code != ENXIO) {
        lkl::Error second;
        if (try_mount(choice, options, true, second)) {
            replayed_ = true;
            return;
        }
        if (error.code == EROFS)
            error = std::move(second);
    }
    throw_mount_error(request, choice, error);
}

MountedImage::~MountedImage()
{
    mount_.reset();
    if (trace_)
        trace_->end(kernel(), image_);
}

std::string MountedImage::read_proc(const std::string& name)
{
    const auto proc = lkl::Mount::special(kernel(), "proc", "/proc");
    if (!proc)
        throw failure(proc.error(), "/proc");
    const std::string path = "/proc/" + name;
    const auto file = lkl::File::open(kernel(), path.c_str(), LKL_O_RDONLY);
    if (!file)
        throw failure(file.error(), path);
    std::string text;
    std::array<std::byte, 1024> buffer;
    for (;;) {
        const auto count = file->read(buffer);
        if (!count)
            throw failure(count.error(), path);
        if (*count == 0)
            return text;
        text.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
}

// Such a one would be mounted, and show anything but the image.
void MountedImage::require_disk_type(const ImageRequest& request)
{
    const std::string types = '\n' + read_proc("filesystems");
    if (types.find("\nnodev\t" + request.type + '\n') != std::string::npos)
        throw ToolError(ExitCode::usage, request.type_option + ' ' + escaped(request.type) +
                                             ": is no file system of a disk");
}

bool MountedImage::try_mount(const ImageChoice& choice, const lkl::MountOptions& options,
                             bool overlay, lkl::Error& error)
{
    const lkl::DiskId disk = kernel_.add_disk(choice, choice.block_size, overlay);
    disk_name_ = ImageKernel::disk_name(disk);
    device_name_ = disk_name_;
    if (choice.partition != 0)
        device_name_ += std::to_string(choice.partition);
    auto mount = lkl::Mount::disk(kernel(), disk, options);
    if (mount) {
        mount_.emplace(*std::move(mount));
        return true;
    }
    kernel_.throw_if_crashed();
    error = std::move(mount).error();
    // Nothing is mounted, so nothing can be busy; a disk that stays does no harm.
    (void)kernel().remove_disk(disk);
    return false;
}

void MountedImage::throw_mount_error(const ImageRequest& request, const ImageChoice& choice,
                                     const lkl::Error& error)
{
    const std::string type = escaped(choice.type);
    if (error.code == ENODEV)
        fail(request, ExitCode::file_system, type + ": this kernel has no such file system");
    if (error.code == ENXIO)
        fail(request, ExitCode::partition, error.what);
    // What the user asked for may be what does not fit; else it is the image.
    const bool asked = !request.type.empty() || !request.options.empty();
    const ExitCode code = error.code == EINVAL && asked ? ExitCode::file_system
                          : error.code == ENOMEM        ? ExitCode::kernel
                                                        : ExitCode::damaged;
    std::string why = "cannot " + escaped(error.what);
    if (const std::string reason = kernel_.log().explanation(disk_name_); !reason.empty())
        why += " (" + escaped(reason) + ")";
    fail(request, code, why);
}

// Several file systems mount read-only in silence where they cannot write.
void MountedImage::require_writable(const ImageRequest& request)
{
    constexpr long read_only = 0x0001;  // ST_RDONLY of statfs(2), in no header of the user API
    const auto stat = open_root().stat_file_system();
    if (!stat)
        throw failure(stat.error(), "/");
    if ((stat->f_flags & read_only) == 0)
        return;
    std::string why = escaped(type_) + ": cannot be written";
    if (const std::string reason = kernel_.log().explanation(disk_name_); !reason.empty())
        why += " (" + escaped(reason) + ")";
    fail(request, ExitCode::file_system, why);
}

lkl::File MountedImage::open_root()
{
    auto top = lkl::File::open(kernel(), root().c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!top)
        throw failure(top.error(), "/");
    return *std::move(top);
}

void MountedImage::unmount()
{
    auto unmounted = mount_->unmount();
    kernel_.throw_if_crashed();
    if (unmounted)
        return;
    std::string why = escaped(image_) + ": cannot " + escaped(unmounted.error().what);
    if (const std::string reason = kernel_.log().explanation(disk_name_); !reason.empty())
        why += " (" + escaped(reason) + ")";
    throw ToolError(ExitCode::output, why, unmounted.error().code);
}

ToolError MountedImage::failure(const lkl::Error& error, std::string_view where) const
{
    const std::string panic = kernel_.kernel().panic_message();
    if (!panic.empty())
        return {ExitCode::kernel, escaped(image_) + ": " + escaped(where) +
                                      ": the kernel crashed: " + escaped(panic_reason(panic))};
    std::string text = escaped(image_) + ": " + escaped(where) + ": cannot " + escaped(error.what);
    if (may_be_explained(error.code)) {
        if (const std::string reason = kernel_.log().explanation(disk_name_); !reason.empty())
            text += " (" + escaped(reason) + ")";
    }
    return ToolError(writable_ ? ExitCode::output : ExitCode::damaged, text, error.code)
        .about(where);
}

ToolError MountedImage::damaged(std::string_view where, std::string_view why) const
{
    return ToolError(ExitCode::damaged, escaped(image_) + ": " + escaped(where) + ": " +
                                            std::string(why) + ": the file system is damaged")
        .about(where);
}

}  // namespace tools
