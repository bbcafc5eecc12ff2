// SPDX-License-Identifier: GPL-2.0-only
// What is done to files by ioctl(2) alone: compression and subvolumes.
#pragma once

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>

namespace image_tree {

// Sets the flag "compressed" of a directory, as `chattr +c` does: files that are made in it
// later are stored compressed.
lkl::Result<void> set_compressed(lkl::Kernel& kernel, const lkl::File& directory);

// Makes an empty subvolume of Btrfs in a directory.
lkl::Result<void> make_subvolume(lkl::Kernel& kernel, const lkl::File& directory, const char* name);

// Makes a read-only snapshot of a subvolume, with this name in the directory.
lkl::Result<void> make_snapshot(lkl::Kernel& kernel, const lkl::File& subvolume,
                                const lkl::File& directory, const char* name);

}  // namespace image_tree
