// SPDX-License-Identifier: GPL-2.0-only
// Disk images whose files the program sees, in our kernel.
#pragma once

#include <string>

#include <lkl/kernel.hpp>

#include "hijack/config.hpp"

namespace hijack::images {

// "IMAGE:DIRECTORY": the directory, without a slash at its end.
std::string directory_of(const std::string& setting);

// Where the image with that number is in our kernel.
std::string mount_point(size_t number);

// Mounts them all: for writing where the file can be written. An Error names the image.
lkl::Result<void> mount_all(lkl::Kernel& kernel, const Configuration& configuration);

// Holds off who writes, when all is written back, until they are thawed. One that cannot be is
// told of.
void freeze_all();
void thaw_all();

// Writes back what no unmounting follows. Each image of which something is lost is told of; false
// then.
bool write_back_all();

// Unmounts them all, when the program has no files any more: they are clean then. One that is
// busy, by calls of other threads, is written back. Each image of which something is lost is
// told of; false then.
bool unmount_all(lkl::Kernel& kernel);

}  // namespace hijack::images
