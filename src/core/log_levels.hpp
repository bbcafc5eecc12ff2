// SPDX-License-Identifier: GPL-2.0-only
// The level of each line of the kernel's log, as its console tells it.
#pragma once

#include <functional>
#include <string_view>

namespace lkl {

// What the kernel's command line begins with for a console that tells levels: each line
// has "<N>" before it, N being 8 * facility + level.
inline constexpr std::string_view console_with_levels = "console_msg_format=syslog ";

// The level of lines that the console itself adds, about messages that got lost; it is that
// of messages without one (CONFIG_MESSAGE_LOGLEVEL_DEFAULT).
inline constexpr int default_log_level = 4;

// Calls `take` with each line of such a console's text: its level, 0 to 7, and the line with
// its newline, without the level.
void for_each_log_line(std::string_view text,
                       const std::function<void(int level, std::string_view line)>& take);

}  // namespace lkl
