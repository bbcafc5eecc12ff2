// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/process/child.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "common/report.hpp"
#include "common/tool.hpp"

namespace tools::lkl_tool {

Child::Child(const std::function<void()>& function) : process_(fork())
{
    if (process_ < 0)
        throw ToolError(ExitCode::internal,
                        std::string("cannot start a process: ") + std::strerror(errno));
    if (process_ == 0)
        _exit(run_tool("lkl", function));
}

Child::~Child()
{
    if (process_ > 0)
        (void)waitpid(process_, nullptr, 0);
}

int Child::wait()
{
    int status = 0;
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {}
    process_ = 0;
    if (!WIFEXITED(status))
        throw ToolError(ExitCode::kernel, "the process that had the image was killed by signal " +
                                              std::to_string(WTERMSIG(status)));
    return WEXITSTATUS(status);
}

}  // namespace tools::lkl_tool
