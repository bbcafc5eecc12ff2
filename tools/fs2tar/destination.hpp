// SPDX-License-Identifier: GPL-2.0-only
// Where the archive goes: standard output, a device, or a file that gets its
// name only when it is complete.
#pragma once

#include <string>

#include "common/descriptor.hpp"

namespace tools::fs2tar {

// At most one object at a time. While it exists, SIGINT, SIGTERM and SIGHUP
// remove the temporary file before they end the process.
class Destination {
public:
    // path: "-" is standard output. image: refused as a destination. Throws
    // ToolError, ExitCode::output or ExitCode::usage.
    Destination(const std::string& path, const std::string& image);
    Destination(const Destination&) = delete;
    Destination& operator=(const Destination&) = delete;
    // Removes the temporary file unless commit() was called.
    ~Destination();

    int descriptor() const { return standard_output_ ? 1 : file_.get(); }
    // For messages.
    const std::string& name() const { return name_; }

    // Where names change in commit() or the destructor; empty: nowhere.
    const std::string& directory() const { return directory_; }

    // The archive is complete: on stable storage, then under its name.
    void commit();

private:
    void create_temporary(const std::string& path);

    std::string name_;
    std::string target_;     // what a symbolic link at path points to, else path
    std::string temporary_;  // empty: written in place
    std::string directory_;  // of the last two
    bool standard_output_ = false;
    Descriptor file_;
    Descriptor open_directory_;
};

}  // namespace tools::fs2tar
