// SPDX-License-Identifier: GPL-2.0-only
// Copying to the host: where files go, and the way from any source to it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/tree/entry_sink.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/identity.hpp"
#include "common/tree/sources.hpp"

namespace tools {

struct HostTop : Target<HostFile> {
    std::string path;  // of the directory
};

// Where sources go, patterns perhaps, as in cp. Throws ToolError, ExitCode::output; also where
// the destination, or what it links to, is a device, a FIFO, a socket or an open descriptor.
HostTop open_host_top(const std::string& destination, const std::vector<std::string>& sources);

// give(sink) gives all files; they are made below `top` by a thread of its own. kept: files of
// the host that none of them replaces, which are those of the image that they are read from. The
// process's umask is 0 meanwhile. Throws ToolError; ExitCode::usage, before there is any file,
// where `top` names one of `kept`.
void write_host(HostTop top, const std::vector<Identity>& kept, Failures& failures,
                const std::function<void(EntrySink&)>& give);

}  // namespace tools
