// SPDX-License-Identifier: GPL-2.0-only
// /proc of our kernel.
#pragma once

#include <string>

#include <lkl/kernel.hpp>

namespace hijack::network {

// Mounts a file system that needs no disk on /NAME. EBUSY: it is there.
lkl::Result<void> mount_plain(lkl::Kernel& kernel, const std::string& type);

// Empty where it cannot be read.
std::string read_file(lkl::Kernel& kernel, const std::string& path);

}  // namespace hijack::network
