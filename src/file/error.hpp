// SPDX-License-Identifier: GPL-2.0-only
// The one wording of errors that system calls of the kernel give.
#pragma once

#include <string_view>
#include <system_error>

#include <lkl/result.hpp>

namespace lkl::file {

// `result` is a negative errno; the text reads "open /etc: Permission denied".
inline Error call_error(long result, std::string_view operation, std::string_view object)
{
    Error error;
    error.code = static_cast<int>(-result);
    error.what = operation;
    if (!object.empty()) {
        error.what += ' ';
        error.what += object;
    }
    error.what += ": ";
    // The kernel's generic error numbers are those of the host's Linux.
    error.what += std::generic_category().message(error.code);
    return error;
}

}  // namespace lkl::file
