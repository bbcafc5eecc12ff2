// SPDX-License-Identifier: GPL-2.0-only
// Image files that the host uses as disks of its own, which no lock tells.
#pragma once

#include <string>

namespace tools {

// The loop device that an open file is attached to, "/dev/loop0"; empty: none that
// can be seen.
std::string loop_device_of(int descriptor);

// The other way round: the file that an open loop device, or a partition of one, has its
// data in; empty: the device is none, or that cannot be seen.
std::string backing_file_of(int descriptor);

}  // namespace tools
