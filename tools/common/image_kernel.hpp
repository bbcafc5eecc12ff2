// SPDX-License-Identifier: GPL-2.0-only
// A kernel that is started for one image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <lkl/kernel.hpp>

#include "common/kernel_log.hpp"
#include "common/opened_image.hpp"
#include "common/watchdog.hpp"

namespace tools {

class ImageKernel {
public:
    // Throws ToolError, ExitCode::kernel. From then on the tool ends, ExitCode::kernel, when
    // the kernel hangs: nothing that it would say or write could be trusted.
    ImageKernel(const ImageRequest& request, const OpenedImage& opened);
    ImageKernel(const ImageKernel&) = delete;
    ImageKernel& operator=(const ImageKernel&) = delete;
    ~ImageKernel();

    lkl::Kernel& kernel() { return *kernel_; }
    const lkl::Kernel& kernel() const { return *kernel_; }
    KernelLog& log() { return log_; }
    const KernelLog& log() const { return log_; }

    // The image as a disk. block_size: that it has to have at least, bytes; 0: its own.
    // overlay: what is written to it stays in memory. Throws ToolError, ExitCode::image or
    // ExitCode::kernel.
    lkl::DiskId add_disk(const OpenedImage& opened, uint32_t block_size, bool overlay);
    // What the kernel's messages call it: "vda".
    static std::string disk_name(const lkl::DiskId& disk);

    // Throws ToolError, ExitCode::kernel.
    void throw_if_crashed() const;

private:
    void watch(const ImageRequest& request);

    // In the order of their construction; the kernel ends before its log does.
    KernelLog log_;
    const std::string image_;  // as messages call it
    std::optional<lkl::Kernel> kernel_;
    std::optional<Watchdog> watchdog_;
};

}  // namespace tools
