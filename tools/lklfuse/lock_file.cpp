// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/lock_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>

#include "common/report.hpp"

namespace tools::lklfuse {

Descriptor take_lock(const std::string& path)
{
    if (path.empty())
        return {};
    Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644));
    if (!file)
        throw ToolError(ExitCode::output,
                        "lock=" + escaped(path) + ": cannot open: " + std::strerror(errno));
    if (flock(file.get(), LOCK_EX | LOCK_NB) == 0)
        return file;
    if (errno == EWOULDBLOCK)
        throw ToolError(ExitCode::image, "lock=" + escaped(path) + ": somebody else has the lock");
    throw ToolError(ExitCode::output,
                    "lock=" + escaped(path) + ": cannot lock: " + std::strerror(errno));
}

}  // namespace tools::lklfuse
