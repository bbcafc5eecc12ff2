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

}  // namespace

OpenedImage open_for_mount(const ImageRequest& request, const OpenedImage* other)
{
    Descriptor image = other != nullptr ? Descriptor(fcntl(other->image.get(), F_DUPFD_CLOEXEC, 0))
                                        : open_image(request.path, request.writable);
    if (!image)
        throw ToolError(ExitCode::image, escaped(request.shown()) +
                                             ": cannot open the image: " + std::strerror(errno));
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

}  // namespace tools
