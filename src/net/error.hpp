// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include <lkl/result.hpp>

namespace lkl::net {

// The host's last error, or `code`, about something.
inline Error host_error(const std::string& what, int code = errno)
{
    return {code, what + ": " + std::strerror(code)};
}

}  // namespace lkl::net
