// SPDX-License-Identifier: GPL-2.0-only
// Loop devices of the host, which take no lock on their files.
#pragma once

#include <string>

#include <sys/stat.h>

namespace lkl::disk {

// "/dev/loopN" that stores in this file, empty if none is known: sysfs names its file by a path,
// which may be out of this process's reach.
std::string loop_device_of(const struct stat& file);

}  // namespace lkl::disk
