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

}  // namespace

lkl::Result<void> set_compressed(lkl::Kernel& kernel, const lkl::File& directory)
{
    // The kernel takes an int, whatever the number of the request says.
    int flags = LKL_FS_COMPR_FL;
    const long result =
        kernel.syscall(__lkl__NR_ioctl, directory.descriptor(), LKL_FS_IOC_SETFLAGS, &flags);
    if (result < 0)
        return lkl::file::call_error(result, "set the compressed flag", {});
    return {};
}

lkl::Result<void> make_subvolume(lkl::Kernel& kernel, const lkl::File& directory, const char* name)
{
    const auto request = std::make_unique<lkl_btrfs_ioctl_vol_args>();
    if (!set_name(request->name, name))
        return lkl::file::call_error(-LKL_ENAMETOOLONG, "make the subvolume", name);
    const long result = kernel.syscall(__lkl__NR_ioctl, directory.descriptor(),
                                       LKL_BTRFS_IOC_SUBVOL_CREATE, request.get());
    if (result < 0)
        return lkl::file::call_error(result, "make the subvolume", name);
    return {};
}

lkl::Result<void> make_snapshot(lkl::Kernel& kernel, const lkl::File& subvolume,
                                const lkl::File& directory, const char* name)
{
    const auto request = std::make_unique<lkl_btrfs_ioctl_vol_args_v2>();
    request->fd = subvolume.descriptor();
    request->flags = LKL_BTRFS_SUBVOL_RDONLY;
    if (!set_name(request->name, name))
        return lkl::file::call_error(-LKL_ENAMETOOLONG, "make the snapshot", name);
    const long result = kernel.syscall(__lkl__NR_ioctl, directory.descriptor(),
                                       LKL_BTRFS_IOC_SNAP_CREATE_V2, request.get());
    if (result < 0)
        return lkl::file::call_error(result, "make the snapshot", name);
    return {};
}

}  // namespace image_tree
