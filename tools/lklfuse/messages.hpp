// SPDX-License-Identifier: GPL-2.0-only
// Where a mount's messages go: to standard error while somebody looks at it, to the
// system's log and the file of log= afterwards.
#pragma once

#include <string>
#include <string_view>

#include "common/descriptor.hpp"

namespace tools::lklfuse {

// The file of log=, which gets the kernel's log and our own messages. Any thread.
class LogFile {
public:
    // Appends to the file; an empty path: none. Throws ToolError, ExitCode::output.
    explicit LogFile(const std::string& path);

    // Text as it comes, newlines among it. Lines that cannot be written are lost.
    void add(std::string_view text) const;
    int descriptor() const { return file_.get(); }

private:
    Descriptor file_;
};

// Connects to the system log; later there may be no way to it.
void open_system_log();

// From here on nobody reads standard error.
void send_messages_to_system_log();

// Tells it, in one line.
void tell(const std::string& text);

}  // namespace tools::lklfuse
