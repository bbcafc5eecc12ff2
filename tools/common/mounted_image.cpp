// SPDX-License-Identifier: GPL-2.0-only
#include "common/mounted_image.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <lkl/asm/unistd.h>
#include <lkl/disk.hpp>
#include <lkl/file.hpp>
#include <lkl/linux/mount.h>
#include <unistd.h>

#include "common/doomed_file.hpp"
#include "common/image_probe.hpp"
#include "common/loop_devices.hpp"
#include "common/mount_defaults.hpp"
#include "common/shared_disk.hpp"

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
    static const Content unknown;
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
    if (!image.table.empty())
        fail_with_partitions(request, image,
                             "partition " + std::to_string(number) + ": no such partition");
    // The kernel knows more kinds of tables than libblkid. With a type given,
    // let it look.
    if (request.type.empty())
        fail(request, ExitCode::partition,
             "partition " + std::to_string(number) +
                 ": no partition table that is known without the kernel; with " +
                 request.type_option + " the kernel looks");
    return unknown;
}

// Seconds. Work in memory that takes longer than this is nothing that tools ask for.
constexpr unsigned patience = 120;

// False for what the log of a sound file system says nothing about, whatever else
// stands there.
bool may_be_explained(int code)
{
    constexpr std::array plain{EPERM,  ENOENT, EEXIST, ENOTDIR,      EISDIR, EFBIG,
                               ENOSPC, EMLINK, ELOOP,  ENAMETOOLONG, EDQUOT, EOPNOTSUPP};
    return std::find(plain.begin(), plain.end(), code) == plain.end();
}

std::vector<Identity> host_files_of(int image)
{
    std::vector<Identity> files;
    const auto add = [&files](int descriptor) {
        if (const auto identity = host_identity(descriptor))
            files.push_back(*identity);
    };
    add(image);
    if (const std::string path = backing_file_of(image); !path.empty()) {
        if (const Descriptor file{open(path.c_str(), O_PATH | O_CLOEXEC)})
            add(file.get());
    }
    return files;
}

}  // namespace

OpenedImage open_for_mount(const ImageRequest& request, const OpenedImage* other)
{
    Descriptor image = other != nullptr ? Descriptor(fcntl(other->image.get(), F_DUPFD_CLOEXEC, 0))
                                        : open_image(request.path, request.writable);
    if (!image)
        fail(request, ExitCode::image,
             std::string("cannot open the image: ") + std::strerror(errno));
    const std::string kernel_image =
        request.trace ? KernelTrace::image() : lkl::default_kernel_image();
    auto kernel = open_kernel_image(kernel_image);
    lkl::FileDiskOptions options;
    options.read_only = !request.writable;
    if (other != nullptr)
        options.lock = lkl::DiskLock::none;
    auto disk = lkl::open_file_disk(image.get(), request.path, options);
    std::vector<Identity> host_files = host_files_of(image.get());
    if (!disk)
        return {std::move(image), std::move(kernel), std::move(disk).error(),
                std::move(host_files)};
    return {std::move(image), std::move(kernel),
            std::shared_ptr<lkl::BlockBackend>(*std::move(disk)), std::move(host_files)};
}

lkl::Result<Descriptor> open_kernel_image(const std::string& path)
{
    Descriptor kernel(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!kernel) {
        const int code = errno;
        return lkl::Error{code, "kernel image " + path + ": " + std::strerror(code)};
    }
    return kernel;
}

ImageChoice choose_file_system(const ImageRequest& request, OpenedImage opened)
{
    ImageChoice choice{std::move(opened), 0, {}, 0};
    const ImageContent image = probe_image(choice.image.get(), request.path);
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
    : log_(request.show_log, request.log),
      trace_(request.trace),
      image_(request.shown()),
      type_(choice.type),
      host_files_(choice.host_files),
      writable_(request.writable)
{
    if (!choice.kernel)
        throw ToolError(ExitCode::kernel,
                        "cannot start the kernel: " + escaped(choice.kernel.error().what));
    lkl::KernelOptions kernel_options;
    kernel_options.memory = request.memory + (trace_ ? trace_->buffer() : 0);
    kernel_options.log = log_.listener();
    kernel_options.image_descriptor = (*choice.kernel).get();
    // A crafted image may make the kernel fault: that is to be told as well.
    kernel_options.fault_handler = true;
    auto kernel = lkl::Kernel::start(kernel_options);
    if (!kernel)
        throw ToolError(ExitCode::kernel, "cannot start the kernel: " + kernel.error().what);
    kernel_.emplace(*std::move(kernel));
    watch(request);
    if (trace_)
        trace_->begin(*kernel_);
    if (!request.type.empty())
        require_disk_type(request);

    lkl::MountOptions options;
    options.type = choice.type;
    options.partition = choice.partition;
    options.add(default_mount_options(choice.type));
    options.add(request.options);
    options.flags |= LKL_MS_NODEV | LKL_MS_NOSUID | LKL_MS_NOEXEC;
    lkl::Error error;
    log_.clear();
    if (writable_) {
        // Files are made with the very mode that is asked for.
        (void)kernel_->syscall(__lkl__NR_umask, 0);
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
    if (kernel_ && trace_)
        trace_->end(*kernel_, image_);
    // While somebody watches.
    if (kernel_)
        (void)kernel_->halt();
}

void MountedImage::watch(const ImageRequest& request)
{
    const std::function<void(const std::string&)> last_words =
        request.last_words ? request.last_words : report;
    watchdog_.emplace(*kernel_, patience, std::chrono::seconds(1), [this, last_words] {
        last_words(escaped(image_) + ": the kernel hangs: for " + std::to_string(patience) +
                   " seconds no call has ended, and no disk was at work");
        remove_doomed_files();
        _exit(static_cast<int>(ExitCode::kernel));
    });
}

std::string MountedImage::read_proc(const std::string& name)
{
    const auto proc = lkl::Mount::special(*kernel_, "proc", "/proc");
    if (!proc)
        throw failure(proc.error(), "/proc");
    const std::string path = "/proc/" + name;
    const auto file = lkl::File::open(*kernel_, path.c_str(), LKL_O_RDONLY);
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
    if (!choice.disk)
        throw ToolError(ExitCode::image,
                        "cannot open the image: " + escaped(choice.disk.error().what));
    // One disk for the tries to mount it, one after the other.
    std::unique_ptr<lkl::BlockBackend> backend =
        std::make_unique<SharedDisk>(*choice.disk, choice.block_size);
    if (overlay) {
        auto layered = lkl::make_overlay_disk(std::move(backend));
        if (!layered)
            throw ToolError(ExitCode::kernel,
                            escaped(image_) + ": cannot add the disk: " + layered.error().what);
        backend = *std::move(layered);
    }
    const auto disk = kernel_->add_disk(std::move(backend));
    if (!disk) {
        throw_if_crashed();
        throw ToolError(ExitCode::kernel,
                        escaped(image_) + ": cannot add the disk: " + disk.error().what);
    }
    disk_name_ = std::string("vd") + static_cast<char>('a' + disk->index % 26);
    device_name_ = disk_name_;
    if (choice.partition != 0)
        device_name_ += std::to_string(choice.partition);
    auto mount = lkl::Mount::disk(*kernel_, *disk, options);
    if (mount) {
        mount_.emplace(*std::move(mount));
        return true;
    }
    throw_if_crashed();
    error = std::move(mount).error();
    // Nothing is mounted, so nothing can be busy; a disk that stays does no harm.
    (void)kernel_->remove_disk(*disk);
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
    if (const std::string reason = log_.explanation(disk_name_); !reason.empty())
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
    if (const std::string reason = log_.explanation(disk_name_); !reason.empty())
        why += " (" + escaped(reason) + ")";
    fail(request, ExitCode::file_system, why);
}

lkl::File MountedImage::open_root()
{
    auto top = lkl::File::open(*kernel_, root().c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!top)
        throw failure(top.error(), "/");
    return *std::move(top);
}

void MountedImage::unmount()
{
    auto unmounted = mount_->unmount();
    throw_if_crashed();
    if (unmounted)
        return;
    std::string why = escaped(image_) + ": cannot " + escaped(unmounted.error().what);
    if (const std::string reason = log_.explanation(disk_name_); !reason.empty())
        why += " (" + escaped(reason) + ")";
    throw ToolError(ExitCode::output, why, unmounted.error().code);
}

void MountedImage::throw_if_crashed() const
{
    const std::string panic = kernel_->panic_message();
    if (!panic.empty())
        throw ToolError(ExitCode::kernel,
                        escaped(image_) + ": the kernel crashed: " + escaped(panic_reason(panic)));
}

ToolError MountedImage::failure(const lkl::Error& error, std::string_view where) const
{
    const std::string panic = kernel_->panic_message();
    if (!panic.empty())
        return {ExitCode::kernel, escaped(image_) + ": " + escaped(where) +
                                      ": the kernel crashed: " + escaped(panic_reason(panic))};
    std::string text = escaped(image_) + ": " + escaped(where) + ": cannot " + escaped(error.what);
    if (may_be_explained(error.code)) {
        if (const std::string reason = log_.explanation(disk_name_); !reason.empty())
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
