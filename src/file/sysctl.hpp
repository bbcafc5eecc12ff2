// SPDX-License-Identifier: GPL-2.0-only
// Settings of the kernel below /proc/sys.
#pragma once

#include <string_view>

#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

namespace lkl::file {

// Writes a setting; /proc is mounted. As with sysctl(8), the first separator of the name
// decides which of . and / it is. ENOENT: there is none of that name; EINVAL: the kernel
// did not take the whole value.
Result<void> write_sysctl(Kernel& kernel, std::string_view name, std::string_view value);

}  // namespace lkl::file
