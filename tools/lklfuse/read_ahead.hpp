// SPDX-License-Identifier: GPL-2.0-only
// How far the host's kernel reads ahead in files of the mount.
#pragma once

#include <string>

namespace tools::lklfuse {

// What one request may read, in bytes. Each request has a price, and 128 KiB, which is
// usual, is little.
constexpr unsigned read_ahead = 1 << 20;

// Lets it be so much, where we may (root alone). Before the connection is agreed on,
// which can only make it less.
void raise_read_ahead(const std::string& mount_point);

}  // namespace tools::lklfuse
