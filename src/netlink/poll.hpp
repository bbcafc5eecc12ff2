// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>

#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

namespace lkl::netlink {

// Waits until a descriptor of the kernel has something to read; false after the timeout.
Result<bool> wait_readable(Kernel& kernel, int descriptor, std::chrono::milliseconds timeout);

}  // namespace lkl::netlink
