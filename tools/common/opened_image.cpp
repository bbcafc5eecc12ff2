// SPDX-License-Identifier: GPL-2.0-only
#include "common/opened_image.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <lkl/disk.hpp>
#include <lkl/kernel.hpp>

#include "common/image_probe.hpp"
#include "common/loop_devices.hpp"
#include "common/report.hpp"

namespace tools {

namespace {

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

// The same file by an open file description of its own, since the host says once for each
// what it could not write; without /proc by that of `image`.
Descriptor open_again(const Descriptor& image, bool writable)
{
    const std::string path = "/proc/self/fd/" + std::to_string(image.get());
    Descriptor own(open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK));
    return own ? std::move(own) : Descriptor(fcntl(image.get(), F_DUPFD_CLOEXEC, 0));
}

// A disk that keeps another one, whose lock it needs.
std::shared_ptr<lkl::BlockBackend> keeping(std::shared_ptr<lkl::BlockBackend> other,
                                           std::shared_ptr<lkl::BlockBackend> disk)
{
    using Both = std::pair<std::shared_ptr<lkl::BlockBackend>, std::shared_ptr<lkl::BlockBackend>>;
    auto both = std::make_shared<Both>(std::move(other), std::move(disk));
    auto* const kept = both->second.get();
    return {std::move(both), kept};
}

}  // namespace

OpenedImage open_for_mount(const ImageRequest& request, const OpenedImage* other)
{
    Descriptor image = other != nullptr ? open_again(other->image, request.writable)
                                        : open_image(request.path, request.writable);
    if (!image)
        throw ToolError(ExitCode::image, escaped(request.shown()) +
                                             ": cannot open the image: " + std::strerror(errno));
    const std::string kernel_image =
        request.trace ? KernelTrace::image() : lkl::default_kernel_image();
    auto kernel = open_kernel_image(kernel_image);
    lkl::FileDiskOptions options;
    options.read_only = !request.writable;
    options.claimed = request.writable;  // by open_image()
    if (other != nullptr)
        options.lock = lkl::DiskLock::none;
    std::vector<Identity> host_files = host_files_of(image.get());
    if (other != nullptr && !other->disk)
        return {std::move(image), std::move(kernel), other->disk.error(), std::move(host_files)};
    auto disk = lkl::open_file_disk(image.get(), request.path, options);
    if (!disk)
        return {std::move(image), std::move(kernel), std::move(disk).error(),
                std::move(host_files)};
    std::shared_ptr<lkl::BlockBackend> shared = *std::move(disk);
    if (other != nullptr)
        shared = keeping(*other->disk, std::move(shared));
    return {std::move(image), std::move(kernel), std::move(shared), std::move(host_files)};
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

}  // namespace tools
