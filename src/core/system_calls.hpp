// SPDX-License-Identifier: GPL-2.0-only
// System calls that the library itself makes, of the generic 64-bit table and of
// arch/lkl (asm/unistd.h), and their errors.
#pragma once

#include <cstring>
#include <string>

#include <lkl/result.hpp>

namespace lkl {

constexpr long nr_rt_sigprocmask = 135;
constexpr long nr_reboot = 142;
constexpr long nr_close = 57;
constexpr long nr_read = 63;
constexpr long nr_socket = 198;
constexpr long nr_sendto = 206;
constexpr long nr_device_add = 244;
constexpr long nr_device_remove = 245;

// `result`: a negative errno.
inline Error system_error(long result, const std::string& what)
{
    const int code = static_cast<int>(-result);
    return {code, what + ": " + std::strerror(code)};
}

}  // namespace lkl
