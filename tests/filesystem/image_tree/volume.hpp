// SPDX-License-Identifier: GPL-2.0-only
// A file system on one or more images, mounted in a kernel. Those for flash come
// on a simulated flash (block2mtd) over the image.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <lkl/kernel.hpp>
#include <lkl/mount.hpp>
#include <lkl/result.hpp>

namespace image_tree {

class Volume {
public:
    // The images become /dev/vda, /dev/vdb, ... of the kernel; the first one is
    // mounted. options: as for mount -o.
    static lkl::Result<Volume> open(lkl::Kernel& kernel, const std::string& type,
                                    const std::string& options, bool read_only,
                                    const std::vector<std::string>& images);

    const std::string& path() const { return path_; }
    // Unmounts; what was written is in the images then.
    lkl::Result<void> close();

private:
    Volume(lkl::Kernel& kernel, std::string path, std::vector<lkl::Mount> mounts)
        : kernel_(&kernel), path_(std::move(path)), special_(std::move(mounts))
    {
    }

    lkl::Kernel* kernel_;
    std::string path_;
    std::vector<lkl::Mount> special_;  // /sys and /dev
};

}  // namespace image_tree
