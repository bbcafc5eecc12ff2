// SPDX-License-Identifier: GPL-2.0-only
// Errors of the C interface: a negative number, and a line for who asks.
#pragma once

#include <string>

#include <lkl/result.hpp>

namespace lkl::capi {

// Keeps the text for the calling thread's lkl_error_message(), and returns -code.
// The code of an Error is positive.
int fail(const Error& error);
int fail(int code, std::string what);

}  // namespace lkl::capi
