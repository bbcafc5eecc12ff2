// SPDX-License-Identifier: GPL-2.0-only
// The frame of each tool's main(): what ends it, and how that is told.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>

namespace tools {

// The first thing that a tool does: what it inherits beside the standard descriptors is
// closed. A crafted image could read it, and who waits for the end of a pipe would wait for
// a mount's. A descriptor that an argument names (/dev/fd/N, /proc/self/fd/N, wherever it
// stands in it) stays.
void close_inherited_descriptors(std::span<const std::string> arguments);
// All but the standard ones and these.
void close_descriptors_but(const std::set<unsigned>& kept);

// Before a tool opens anything: where a standard descriptor is closed, none of its files may
// take that place, or messages get into an image. What stands in answers EBADF as a closed one
// does, and programs that are started do not have it.
void occupy_standard_descriptors();

// What was printed is where it goes, as far as a close tells: close_copy() of descriptor.hpp.
// Throws ToolError, ExitCode::output. One that is closed is none.
void finish_standard_output();

// Calls the function, and finish_standard_output(), and reports what they throw, unless that
// has no text; returns the exit code. A reader of standard output that goes away, and a limit of
// file sizes, are errors like others: their signals are ignored.
int run_tool(const char* name, const std::function<void()>& function);

// The same for a tool that has just been started: close_inherited_descriptors() first.
int run_tool(const char* name, int argc, char** argv, const std::function<void()>& function);

// These signals as they were before, for a program that takes this one's place or is
// started by it. Async-signal-safe.
void restore_signals();

}  // namespace tools
