// SPDX-License-Identifier: GPL-2.0-only
// Unmounting on the host, as root or through fusermount3.
#pragma once

#include <string>

namespace tools::lklfuse {

// Has the host's kernel write all that it has for the file system. It sends requests,
// and waits for the answers.
void write_host_cache(const std::string& mount_point);

// Unmounts; false when that fails, because it is in use. lazy: takes it out of the way
// then, so that it goes when it is not in use any more.
bool unmount_on_host(const std::string& mount_point, bool lazy);

}  // namespace tools::lklfuse
