// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/messages.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools::lklfuse {

namespace {

std::atomic<bool> to_system_log{false};

}  // namespace

LogFile::LogFile(const std::string& path)
{
    if (path.empty())
        return;
    file_ =
        Descriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644));
    if (!file_)
        throw ToolError(ExitCode::output,
                        "log=" + escaped(path) + ": cannot open: " + std::strerror(errno));
}

void LogFile::add(std::string_view text) const
{
    while (file_ && !text.empty()) {
        const ssize_t written = ::write(file_.get(), text.data(), text.size());
        if (written <= 0)
            return;
        text.remove_prefix(static_cast<size_t>(written));
    }
}

void open_system_log()
{
    openlog("lklfuse", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void send_messages_to_system_log()
{
    to_system_log = true;
}

void tell(const std::string& text)
{
    // Where standard error leads when nobody looks at it is for detach() to say.
    report(text);
    if (to_system_log)
        syslog(LOG_ERR, "%s", text.c_str());
}

}  // namespace tools::lklfuse
