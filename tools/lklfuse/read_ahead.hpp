// SPDX-License-Identifier: GPL-2.0-only
// How far the host's kernel reads ahead in files of the mount.
#pragma once

#include <string>

namespace tools::lklfuse {

// Sets it to what one request may read, where we may (root alone): each request has a
// price, and 128 KiB is little.
void raise_read_ahead(const std::string& mount_point);

}  // namespace tools::lklfuse
