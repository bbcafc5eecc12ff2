// SPDX-License-Identifier: GPL-2.0-only
// Names that lead to what is open already: /dev/stdout, /dev/fd/N, /proc/self/fd/N. A file
// that is made under such a name, or in its place, would not get there.
#pragma once

#include <optional>
#include <string>

namespace tools {

// The descriptor of this process that the path, or a symbolic link there, leads to.
std::optional<int> named_descriptor(const std::string& path);

}  // namespace tools
