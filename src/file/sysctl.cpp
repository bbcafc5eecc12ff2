// SPDX-License-Identifier: GPL-2.0-only
#include "file/sysctl.hpp"

#include <string>

#include <lkl/asm/errno.h>
#include <lkl/asm/fcntl.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>

#include "file/error.hpp"

namespace lkl::file {

namespace {

std::string path_of(std::string_view name)
{
    std::string path(name);
    if (const size_t first = path.find_first_of("./");
        first != std::string::npos && path[first] == '.') {
        for (char& c : path) {
            if (c == '.')
                c = '/';
            else if (c == '/')
                c = '.';
        }
    }
    return "/proc/sys/" + path;
}

}  // namespace

Result<void> write_sysctl(Kernel& kernel, std::string_view name, std::string_view value)
{
    const long fd =
        kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, path_of(name).c_str(), LKL_O_WRONLY, 0);
    if (fd < 0)
        return call_error(fd, "sysctl", name);
    long result = kernel.syscall(__lkl__NR_write, fd, value.data(), value.size());
    // One write is one setting: what the kernel did not take is an error.
    if (result >= 0)
        result = static_cast<size_t>(result) == value.size() ? 0 : -LKL_EINVAL;
    const long closed = kernel.syscall(__lkl__NR_close, fd);
    if (result == 0)
        result = closed;
    if (result < 0)
        return call_error(result, "sysctl", name);
    return {};
}

}  // namespace lkl::file
