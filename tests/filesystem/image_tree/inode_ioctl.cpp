// SPDX-License-Identifier: GPL-2.0-only
#include "inode_ioctl.hpp"

#include <cstddef>
#include <cstring>
#include <memory>

#include <file/error.hpp>
#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/btrfs.h>
#include <lkl/linux/fs.h>

namespace image_tree {

namespace {

// False: it does not fit, with the zero at its end.
template <size_t size>
bool set_name(char (&field)[size], const char* name)
{
    if (std::strlen(name) >= size)
        return false;
    std::strcpy(field, name);
    return true;
}

// `what` and `name` are for an error.
lkl::Result<void> request(lkl::Kernel& kernel, const lkl::File& file, unsigned long number,
                          void* argument, const char* what, const char* name)
{
    const long result = kernel.syscall(__lkl__NR_ioctl, file.descriptor(), number, argument);
    if (result < 0)
        return lkl::file::call_error(result, what, name);
    return {};
}

}  // namespace

lkl::Result<void> set_compressed(lkl::Kernel& kernel, const lkl::File& directory)
{
    // The kernel takes an int, whatever the number of the request says.
    int flags = LKL_FS_COMPR_FL;
    return request(kernel, directory, LKL_FS_IOC_SETFLAGS, &flags, "set the compressed flag", "");
}

lkl::Result<void> make_subvolume(lkl::Kernel& kernel, const lkl::File& directory, const char* name)
{
    constexpr const char* what = "make the subvolume";
    const auto arguments = std::make_unique<lkl_btrfs_ioctl_vol_args>();
    if (!set_name(arguments->name, name))
        return lkl::file::call_error(-LKL_ENAMETOOLONG, what, name);
    return request(kernel, directory, LKL_BTRFS_IOC_SUBVOL_CREATE, arguments.get(), what, name);
}

lkl::Result<void> make_snapshot(lkl::Kernel& kernel, const lkl::File& subvolume,
                                const lkl::File& directory, const char* name)
{
    constexpr const char* what = "make the snapshot";
    const auto arguments = std::make_unique<lkl_btrfs_ioctl_vol_args_v2>();
    arguments->fd = subvolume.descriptor();
    arguments->flags = LKL_BTRFS_SUBVOL_RDONLY;
    if (!set_name(arguments->name, name))
        return lkl::file::call_error(-LKL_ENAMETOOLONG, what, name);
    return request(kernel, directory, LKL_BTRFS_IOC_SNAP_CREATE_V2, arguments.get(), what, name);
}

}  // namespace image_tree
