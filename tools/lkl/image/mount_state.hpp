// SPDX-License-Identifier: GPL-2.0-only
// What a file system's own superblock says of its last unmount.
#pragma once

#include <cstdint>
#include <string>

namespace tools::lkl_tool {

// "clean", "not cleanly unmounted" or "has errors". image: an open image; offset: where the file
// system begins in it, bytes; type: the kernel's name. Types that keep no such word, since they
// have a journal or are never written, are clean: whether a journal waits is seen when it is
// replayed. NTFS keeps its word in a file, which the mounted file system shows.
std::string superblock_state(int image, uint64_t offset, const std::string& type);

}  // namespace tools::lkl_tool
