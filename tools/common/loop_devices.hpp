// SPDX-License-Identifier: GPL-2.0-only
// Loop devices of the host.
#pragma once

#include <string>

namespace tools {

// The file that an open loop device, or a partition of one, has its data in; empty: the device
// is none, or that cannot be seen.
std::string backing_file_of(int descriptor);

}  // namespace tools
