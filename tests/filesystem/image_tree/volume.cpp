// SPDX-License-Identifier: GPL-2.0-only
#include "volume.hpp"

#include <span>
#include <string_view>

#include <file/error.hpp>
#include <lkl/asm/ioctls.h>
#include <lkl/asm/unistd.h>
#include <lkl/disk.hpp>
#include <lkl/file.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/mount.h>
#include <lkl/mtd/ubi-user.h>

namespace image_tree {

namespace {

constexpr const char* mount_point = "/volume";

// The first disk becomes mtd0, with 128 KiB that are erased at a time.
lkl::Result<void> make_flash(lkl::Kernel& kernel)
{
    const auto parameter =
        lkl::File::open(kernel, "/sys/module/block2mtd/parameters/block2mtd", LKL_O_WRONLY);
    if (!parameter)
        return parameter.error();
    constexpr std::string_view device = "/dev/vda,128KiB";
    if (const auto written = parameter->write(std::as_bytes(std::span(device))); !written)
        return written.error();
    return {};
}

// mtd0 becomes ubi0.
lkl::Result<void> attach_ubi(lkl::Kernel& kernel)
{
    const auto control = lkl::File::open(kernel, "/dev/ubi_ctrl", LKL_O_RDONLY);
    if (!control)
        return control.error();
    struct ::lkl_ubi_attach_req request = {};
    request.ubi_num = 0;
    request.mtd_num = 0;
    const long result =
        kernel.syscall(__lkl__NR_ioctl, control->descriptor(), LKL_UBI_IOCATT, &request);
    if (result < 0)
        return lkl::file::call_error(result, "attach", "UBI");
    return {};
}

}  // namespace

lkl::Result<Volume> Volume::open(lkl::Kernel& kernel, const std::string& type,
                                 const std::string& options, bool read_only,
                                 const std::vector<std::string>& images)
{
    std::vector<lkl::Mount> special;
    for (const auto& [name, path] : {std::pair{"sysfs", "/sys"}, std::pair{"devtmpfs", "/dev"}}) {
        auto mounted = lkl::Mount::special(kernel, name, path);
        if (!mounted)
            return mounted.error();
        special.push_back(*std::move(mounted));
    }
    const bool flash = type == "jffs2" || type == "ubifs";
    for (const std::string& image : images) {
        lkl::FileDiskOptions disk;
        // Attaching a flash, and its file systems, need to write.
        disk.read_only = read_only && !flash;
        auto backend = lkl::open_file_disk(image, disk);
        if (!backend)
            return backend.error();
        const auto added = kernel.add_disk(*std::move(backend));
        if (!added)
            return added.error();
    }
    std::string source = "/dev/vda";
    if (flash) {
        if (auto made = make_flash(kernel); !made)
            return made.error();
        source = "mtd0";
    }
    if (type == "ubifs") {
        if (auto attached = attach_ubi(kernel); !attached)
            return attached.error();
        source = "ubi0_0";
    }
    lkl::MountOptions words;
    words.add(options);
    if (read_only)
        words.flags |= LKL_MS_RDONLY;
    kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, mount_point, 0755);
    const long result =
        kernel.syscall(__lkl__NR_mount, source.c_str(), mount_point, type.c_str(), words.flags,
                       words.data.empty() ? nullptr : words.data.c_str());
    if (result < 0)
        return lkl::file::call_error(result, "mount", type);
    return Volume(kernel, mount_point, std::move(special));
}

lkl::Result<void> Volume::close()
{
    // A directory inside it may be where the process stands.
    kernel_->syscall(__lkl__NR_chdir, "/");
    const long result = kernel_->syscall(__lkl__NR_umount2, path_.c_str(), 0);
    if (result < 0)
        return lkl::file::call_error(result, "unmount", {});
    return {};
}

}  // namespace image_tree
