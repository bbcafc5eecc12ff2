// SPDX-License-Identifier: GPL-2.0-only
// Whether the host uses an image file as a disk of its own, which no lock tells.
#pragma once

#include <string>

namespace tools {

// The loop device that an open file is attached to, "/dev/loop0"; empty: none that
// can be seen.
std::string loop_device_of(int descriptor);

}  // namespace tools
