// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/message.hpp"

#include <atomic>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "hijack/preload/host.hpp"

namespace hijack {

namespace {

std::atomic<long> kept{-1};

}  // namespace

void keep_standard_error()
{
    kept = host::call(SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
}

void message_raw(std::string_view line)
{
    std::string text(line);
    if (!text.ends_with('\n'))
        text += '\n';
    const long result = host::call(SYS_write, STDERR_FILENO, text.data(), text.size());
    if (const long other = kept; result == -EBADF && other >= 0)
        host::call(SYS_write, other, text.data(), text.size());
}

void message(std::string_view text)
{
    message_raw("lkl run: " + std::string(text));
}

void MessageOnce::operator()(std::string_view text)
{
    const long process = host::call(SYS_getpid);
    if (last_process_.exchange(process) != process)
        message(text);
}

}  // namespace hijack
