// SPDX-License-Identifier: GPL-2.0-only
#include "common/image_kernel.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <lkl/disk.hpp>
#include <unistd.h>

#include "common/doomed_file.hpp"
#include "common/report.hpp"
#include "common/shared_disk.hpp"

namespace tools {

namespace {

// Seconds. Work in memory that takes longer than this is nothing that tools ask for.
constexpr unsigned patience = 120;

}  // namespace

ImageKernel::ImageKernel(const ImageRequest& request, const OpenedImage& opened)
    : log_(request.show_log, request.log), image_(request.shown())
{
    if (!opened.kernel)
        throw ToolError(ExitCode::kernel,
                        "cannot start the kernel: " + escaped(opened.kernel.error().what));
    lkl::KernelOptions options;
    options.memory = request.memory + (request.trace ? request.trace->buffer() : 0);
    options.log = log_.listener();
    options.image_descriptor = (*opened.kernel).get();
    // A crafted image may make the kernel fault: that is to be told as well.
    options.fault_handler = true;
    auto kernel = lkl::Kernel::start(options);
    if (!kernel)
        throw ToolError(ExitCode::kernel, "cannot start the kernel: " + kernel.error().what);
    kernel_.emplace(*std::move(kernel));
    watch(request);
}

ImageKernel::~ImageKernel()
{
    // While somebody watches.
    (void)kernel_->halt();
}

void ImageKernel::watch(const ImageRequest& request)
{
    const std::function<void(const std::string&)> last_words =
        request.last_words ? request.last_words : report;
    watchdog_.emplace(*kernel_, patience, std::chrono::seconds(1),
                      [this, last_words](const std::string& seen) {
                          last_words(escaped(image_) + ": the kernel hangs: " + seen);
                          remove_doomed_files();
                          _exit(static_cast<int>(ExitCode::kernel));
                      });
}

lkl::DiskId ImageKernel::add_disk(const OpenedImage& opened, uint32_t block_size, bool overlay)
{
    if (!opened.disk)
        throw ToolError(ExitCode::image,
                        "cannot open the image: " + escaped(opened.disk.error().what));
    // One disk for all that use it, one after the other.
    std::unique_ptr<lkl::BlockBackend> backend =
        std::make_unique<SharedDisk>(*opened.disk, block_size);
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
    return *disk;
}

std::string ImageKernel::disk_name(const lkl::DiskId& disk)
{
    return std::string("vd") + static_cast<char>('a' + disk.index % 26);
}

void ImageKernel::throw_if_crashed() const
{
    const std::string panic = kernel_->panic_message();
    if (!panic.empty())
        throw ToolError(ExitCode::kernel,
                        escaped(image_) + ": the kernel crashed: " + escaped(panic_reason(panic)));
}

}  // namespace tools
