// SPDX-License-Identifier: GPL-2.0-only
// What this library tells its user: one line on the standard error output, that begins
// with "lkl run: ". It stands in the middle of a program whose output is its own, so it
// speaks of what would otherwise be a riddle, and nothing else.
#pragma once

#include <atomic>
#include <string_view>

namespace hijack {

void message(std::string_view text);

// For what is told when the program has ended, and has closed it, as cp(1) does. The caller has
// descriptors::Own.
void keep_standard_error();

// What a thread tells that must not wait: not for memory, nor for who reads it.
void last_message(std::string_view text);

// A text that each process tells once, a forked one too, whatever others it has told: why
// calls of the network fail. One object for each text, which stays for the rest of the process.
class MessageOnce {
public:
    void operator()(std::string_view text);

private:
    std::atomic<long> last_process_{0};
};

// The line as it is, which may have its end: the kernel's log.
void message_raw(std::string_view line);

}  // namespace hijack
