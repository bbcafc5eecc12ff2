// SPDX-License-Identifier: GPL-2.0-only
// A file put into a part of another, with its holes.
#pragma once

#include <cstdint>
#include <string>

namespace tools::mkimage {

// Copies `size` bytes of `from` to the offset in `to`, where nothing but a hole is. Where
// both are in a file system that can, they share their blocks. Throws ToolError,
// ExitCode::output; shown: the destination, for messages.
void copy_sparsely(int from, uint64_t size, int to, uint64_t offset, const std::string& shown);

}  // namespace tools::mkimage
