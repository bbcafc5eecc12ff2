// SPDX-License-Identifier: GPL-2.0-only
// Mount options that a tool gives on its own, by the type of the file system.
#pragma once

#include <string_view>

namespace tools {

// What makes names and times come through as they are stored, and keeps a
// damaged file system from stopping the kernel. The user's own options come
// after these and overrule them. Empty: the type needs none.
std::string_view default_mount_options(std::string_view type);

}  // namespace tools
