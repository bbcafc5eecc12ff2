// SPDX-License-Identifier: GPL-2.0-only
#pragma once

namespace lkl::posix {

// How many CPUs the process may use, as it was when first asked. Any thread.
int cpus() noexcept;

}  // namespace lkl::posix
