// SPDX-License-Identifier: GPL-2.0-only
// What this library tells its user: one line on the standard error output, that begins
// with "lkl run: ". It stands in the middle of a program whose output is its own, so it
// speaks of what would otherwise be a riddle, and nothing else.
#pragma once

#include <string_view>

namespace hijack {

void message(std::string_view text);

// The first of a process, and no more: why calls of the network fail.
void message_once(std::string_view text);

// The line as it is, which may have its end: the kernel's log.
void message_raw(std::string_view line);

}  // namespace hijack
