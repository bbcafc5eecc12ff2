// SPDX-License-Identifier: GPL-2.0-only
// Copying to the host: where files go, and the way from any source to it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/tree/entry_sink.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/sources.hpp"

namespace tools {

struct HostTop : Target<HostFile> {
    std::string path;  // of the directory
};

// Where sources go, patterns perhaps, as in cp. Throws ToolError, ExitCode::output; also where
// the destination, or what it links to, is a device, a FIFO or a socket.
HostTop open_host_top(const std::string& destination, const std::vector<std::string>& sources);

// give(sink) gives all files; they are made below `top` by a thread of its own. The
// process's umask is 0 from then on. Throws ToolError.
void write_host(HostTop top, Failures& failures, const std::function<void(EntrySink&)>& give);

}  // namespace tools
