// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/network/proc.hpp"

#include <lkl/asm/fcntl.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>

#include "file/error.hpp"

namespace hijack::network {

lkl::Result<void> mount_plain(lkl::Kernel& kernel, const std::string& type)
{
    const std::string directory = "/" + type;
    kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, directory.c_str(), 0755);
    const long result =
        kernel.syscall(__lkl__NR_mount, type.c_str(), directory.c_str(), type.c_str(), 0, nullptr);
    if (result < 0)
        return lkl::file::call_error(result, "mount", type);
    return {};
}

std::string read_file(lkl::Kernel& kernel, const std::string& path)
{
    const long fd = kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, path.c_str(), LKL_O_RDONLY, 0);
    std::string text;
    if (fd < 0)
        return text;
    char buffer[4096];
    long n = 0;
    while ((n = kernel.syscall(__lkl__NR_read, fd, buffer, sizeof buffer)) > 0)
        text.append(buffer, static_cast<size_t>(n));
    kernel.syscall(__lkl__NR_close, fd);
    return text;
}

}  // namespace hijack::network
