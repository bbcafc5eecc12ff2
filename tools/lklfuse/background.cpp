// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/background.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/report.hpp"
#include "lklfuse/messages.hpp"

namespace tools::lklfuse {

namespace {

[[noreturn]] void fail(const char* what)
{
    throw ToolError(ExitCode::internal, std::string(what) + ": " + std::strerror(errno));
}

// The process that was called. Its end takes nothing along: all is the child's.
[[noreturn]] void wait_for(pid_t child, int ready)
{
    char byte = 0;
    ssize_t length = 0;
    do
        length = read(ready, &byte, 1);
    while (length < 0 && errno == EINTR);
    if (length == 1)
        _exit(static_cast<int>(ExitCode::ok));
    int status = 0;
    if (waitpid(child, &status, 0) == child && WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    report("the process that was to serve the mount was killed");
    _exit(static_cast<int>(ExitCode::internal));
}

}  // namespace

Background::Background(bool wanted)
{
    if (!wanted)
        return;
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        fail("pipe");
    Descriptor wait_end(ends[0]);
    ready_ = Descriptor(ends[1]);
    const pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child > 0) {
        ready_.close();
        wait_for(child, wait_end.get());
    }
    setsid();
    null_ = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null_)
        fail("/dev/null");
}

void Background::detach(int output)
{
    if (!ready_)
        return;
    send_messages_to_system_log();
    if (chdir("/") != 0)
        fail("/");
    dup2(null_.get(), STDIN_FILENO);
    dup2(null_.get(), STDOUT_FILENO);
    dup2(output >= 0 ? output : null_.get(), STDERR_FILENO);
    null_.close();
    if (write(ready_.get(), "1", 1) != 1)
        fail("pipe");
    ready_.close();
}

}  // namespace tools::lklfuse
