// SPDX-License-Identifier: GPL-2.0-only
// What libfuse has to say, which it would print itself.
#pragma once

#include <string>

namespace tools::lklfuse {

// Keeps libfuse's messages from here on. show: prints them as well, for debugging.
void catch_fuse_log(bool show);

// The last error since the call before, without a newline; empty: none. Any thread.
std::string take_fuse_error();

}  // namespace tools::lklfuse
