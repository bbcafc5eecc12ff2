// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include <lkl.h>

#include "capi/errors.hpp"

namespace {

using lkl::capi::fail;

// As sysctl(8): the first separator decides which of . and / it is.
std::string file_of(std::string_view name)
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

int write_setting(std::string_view name, std::string_view value)
{
    const auto failed = [&](long code) {
        return fail(static_cast<int>(-code),
                    "sysctl " + std::string(name) + ": " + lkl_strerror(static_cast<int>(code)));
    };
    const int mounted = lkl_mount_fs("proc");
    if (mounted < 0)
        return mounted;
    const long fd = lkl_sys_open(file_of(name).c_str(), LKL_O_WRONLY, 0);
    if (fd < 0)
        return failed(fd);
    long result = lkl_sys_write(static_cast<unsigned>(fd), value.data(), value.size());
    // One write is one setting: what the kernel did not take is an error.
    if (result >= 0)
        result = static_cast<size_t>(result) == value.size() ? 0 : -LKL_EINVAL;
    const long closed = lkl_sys_close(static_cast<unsigned>(fd));
    if (result == 0)
        result = closed;
    return result < 0 ? failed(result) : 0;
}

}  // namespace

extern "C" {

int lkl_sysctl(const char* path, const char* value)
{
    return write_setting(path, value);
}

int lkl_sysctl_parse_write(const char* sysctls)
{
    int first_error = 0;
    std::string_view rest = sysctls;
    while (!rest.empty()) {
        const std::string_view entry = rest.substr(0, rest.find(';'));
        rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
        if (entry.empty())
            continue;
        const size_t middle = entry.find_first_of("=|");
        const int result = middle == std::string_view::npos
                               ? fail(LKL_EINVAL, "sysctl " + std::string(entry) + ": no value")
                               : write_setting(entry.substr(0, middle), entry.substr(middle + 1));
        if (first_error == 0)
            first_error = result;
    }
    return first_error;
}

int lkl_set_fd_limit(unsigned int fd_limit)
{
    struct lkl_rlimit limit;
    limit.rlim_cur = fd_limit;
    limit.rlim_max = fd_limit;
    return static_cast<int>(lkl_sys_setrlimit(LKL_RLIMIT_NOFILE, &limit));
}

}  // extern "C"
