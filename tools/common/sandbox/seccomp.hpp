// SPDX-License-Identifier: GPL-2.0-only
// Which system calls the process may still make, by seccomp(2).
#pragma once

namespace tools {

// Beside what every tool needs: its memory, threads, time, and the descriptors that it
// has.
struct CallGroups {
    bool open = false;             // files, for reading
    bool read_attributes = false;  // extended ones, by path and descriptor
    bool change_files = false;     // opens for writing; makes, changes, removes
    bool rename = false;           // and removes
    bool read_archive = false;     // sockets are refused instead of killing
    bool serve_fuse = false;       // signals are waited for, messages received
    bool open_devices = false;     // files are opened for writing too; FUSE's command alone
};

// For all threads, for good. Any other call kills the process (SIGSYS); some that
// libraries try, and can do without, fail with EPERM. Throws ToolError,
// ExitCode::internal.
void restrict_calls(const CallGroups& groups);

}  // namespace tools
