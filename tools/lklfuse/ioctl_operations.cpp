// SPDX-License-Identifier: GPL-2.0-only
// ioctl(2): those that file systems have in common, and whose arguments are known.
#include <array>
#include <cstddef>
#include <cstring>

#include <unistd.h>

#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>

#include "lklfuse/operations.hpp"

namespace tools::lklfuse {

namespace {

struct Known {
    unsigned command;
    size_t in;        // bytes read from the caller
    size_t out;       // bytes given back
    bool owner_only;  // for root and whoever has mounted the image
};

// FS_IOC_GETFLAGS and FS_IOC_SETFLAGS speak of a long, and mean an int.
constexpr std::array known_commands{
    Known{LKL_FS_IOC_GETFLAGS, 0, sizeof(int), false},
    Known{LKL_FS_IOC_SETFLAGS, sizeof(int), 0, false},
    Known{LKL_FS_IOC_GETVERSION, 0, sizeof(int), false},
    Known{LKL_FS_IOC_FSGETXATTR, 0, sizeof(struct lkl_fsxattr), false},
    Known{LKL_FS_IOC_FSSETXATTR, sizeof(struct lkl_fsxattr), 0, false},
    Known{LKL_FS_IOC_GETFSLABEL, 0, LKL_FSLABEL_MAX, false},
    Known{LKL_FITRIM, sizeof(struct lkl_fstrim_range), sizeof(struct lkl_fstrim_range), true},
};

bool may(fuse_req_t request, const Known& known)
{
    const uid_t caller = fuse_req_ctx(request)->uid;
    return !known.owner_only || caller == 0 || caller == geteuid();
}

const Known* find_command(unsigned command)
{
    for (const Known& known : known_commands) {
        if (known.command == command)
            return &known;
    }
    return nullptr;
}

void ioctl(fuse_req_t request, fuse_ino_t ino, unsigned command, void* /*argument*/,
           fuse_file_info* info, unsigned flags, const void* in, size_t in_size, size_t out_size)
{
    const Known* const known = find_command(command);
    if (known == nullptr)
        return reply_result(request, -LKL_ENOTTY);
    if (!may(request, *known))
        return reply_result(request, -LKL_EPERM);
    if (in_size < known->in || out_size < known->out)
        return reply_result(request, -LKL_EINVAL);

    FileSystem& fs = file_system(request);
    alignas(8) std::array<std::byte, LKL_FSLABEL_MAX> argument{};
    if (known->in > 0)  // else `in` may be null
        std::memcpy(argument.data(), in, known->in);
    // For a directory the kernel inside has another descriptor than the one here.
    const bool directory = (flags & FUSE_IOCTL_DIR) != 0;
    const InnerFile file = directory ? fs.open(ino, LKL_O_RDONLY | LKL_O_DIRECTORY)
                                     : InnerFile(fs.inner(), descriptor_of(*info), false);
    if (!file)
        return reply_result(request, file.error());
    const long result = fs.inner().call(__lkl__NR_ioctl, file.get(), command, argument.data());
    if (result < 0)
        return reply_result(request, result);
    if (directory && command == LKL_FS_IOC_SETFLAGS)
        fs.forget_case(ino);
    fuse_reply_ioctl(request, static_cast<int>(result), argument.data(), known->out);
}

}  // namespace

void add_ioctl_operations(fuse_lowlevel_ops& table)
{
    table.ioctl = ioctl;
}

}  // namespace tools::lklfuse
