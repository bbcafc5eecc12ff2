// SPDX-License-Identifier: GPL-2.0-only
// What the host's kernel tells of the calling thread in /proc.
#pragma once

#include <optional>
#include <string_view>

namespace hijack {

// A number by its name in /proc/thread-self/status; nothing: /proc is not there. Allocates
// nothing.
std::optional<long> host_status(std::string_view name, int base);

}  // namespace hijack
