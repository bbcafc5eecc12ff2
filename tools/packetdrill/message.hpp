// SPDX-License-Identifier: GPL-2.0-only
// What is said on standard error, where packetdrill says why a script fails.
#pragma once

#include <string>

#include <unistd.h>

namespace packetdrill {

inline void message(const std::string& text)
{
    const std::string line = "liblkl-packetdrill: " + text + '\n';
    // There is nobody to tell that it failed.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace packetdrill
