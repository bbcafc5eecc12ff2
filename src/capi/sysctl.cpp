// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <string>
#include <string_view>

#include <lkl.h>

#include "capi/default_kernel.hpp"
#include "capi/errors.hpp"
#include "capi/guarded.hpp"
#include "file/sysctl.hpp"

namespace {

using lkl::capi::fail;
using lkl::capi::guarded;

int write_setting(std::string_view name, std::string_view value)
{
    if (const int mounted = lkl_mount_fs("proc"); mounted < 0)
        return mounted;
    auto kernel = lkl::capi::running_kernel();
    if (!kernel)
        return fail(kernel.error());
    const auto written = lkl::file::write_sysctl(**kernel, name, value);
    return written ? 0 : fail(written.error());
}

}  // namespace

extern "C" {

int lkl_sysctl(const char* path, const char* value)
{
    return guarded(__func__, {path, value}, [&] { return write_setting(path, value); });
}

int lkl_sysctl_parse_write(const char* sysctls)
{
    return guarded(__func__, {sysctls}, [&] {
        int first_error = 0;
        std::string_view rest = sysctls;
        while (!rest.empty()) {
            const std::string_view entry = rest.substr(0, rest.find(';'));
            rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
            if (entry.empty())
                continue;
            const size_t middle = entry.find_first_of("=|");
            const int result =
                middle == std::string_view::npos
                    ? fail(LKL_EINVAL, "sysctl " + std::string(entry) + ": no value")
                    : write_setting(entry.substr(0, middle), entry.substr(middle + 1));
            if (first_error == 0)
                first_error = result;
        }
        return first_error;
    });
}

int lkl_set_fd_limit(unsigned int fd_limit)
{
    struct lkl_rlimit limit;
    limit.rlim_cur = fd_limit;
    limit.rlim_max = fd_limit;
    return static_cast<int>(lkl_sys_setrlimit(LKL_RLIMIT_NOFILE, &limit));
}

}  // extern "C"
