// SPDX-License-Identifier: GPL-2.0-only
// What is wanted of an image, and all that has to be open before a tool shuts itself in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/block.hpp>
#include <lkl/result.hpp>

#include "common/descriptor.hpp"
#include "common/kernel_trace.hpp"
#include "common/tree/identity.hpp"

namespace tools {

struct ImageRequest {
    std::string path;
    std::string name;                   // what messages call it; empty: by its path
    std::optional<unsigned> partition;  // 0: the whole disk; none: the only choice
    std::string type;                   // of the file system, the kernel's name; empty: detect
    std::string options;                // of the mount, as for mount -o
    uint64_t memory = 0;                // bytes, for the kernel
    bool show_log = false;
    std::function<void(std::string_view)> log;  // gets the kernel's log too, as KernelLog gives it
    bool writable = false;
    // Gets the message when the tool has to end because the kernel hangs; none: report().
    std::function<void(const std::string&)> last_words;
    std::shared_ptr<KernelTrace> trace;  // what the kernel does is seen by it; may be none
    bool sandbox = true;                 // the tool shuts itself in before the image is looked at
    // What messages call the options for partition and type.
    std::string partition_option = "-P";
    std::string type_option = "-t";

    const std::string& shown() const { return name.empty() ? path : name; }
};

// All that has to be opened for a MountedImage; nothing of the image was read.
struct OpenedImage {
    Descriptor image;
    // The image of the kernel; where there is none, that is told when a kernel is wanted.
    lkl::Result<Descriptor> kernel;
    // Of the image; where there is none, that is told when a disk is wanted.
    lkl::Result<std::shared_ptr<lkl::BlockBackend>> disk;
    // Which files of the host the image is: one, and with a loop device that which it is of.
    std::vector<Identity> host_files = {};
};

// other: the same file, which is open for all that is requested here; its lock is for both,
// and ends with the last. Throws ToolError, ExitCode::image.
OpenedImage open_for_mount(const ImageRequest& request, const OpenedImage* other = nullptr);

// The image of a kernel, for OpenedImage.
lkl::Result<Descriptor> open_kernel_image(const std::string& path);

}  // namespace tools
