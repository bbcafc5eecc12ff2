// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/message.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
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

void last_message(std::string_view text)
{
    long descriptor = STDERR_FILENO;
    if (const long other = kept; other >= 0 && host::call(SYS_fcntl, descriptor, F_GETFD) < 0)
        descriptor = other;
    // Where it has room, that is for a line.
    pollfd room{static_cast<int>(descriptor), POLLOUT, 0};
    if (host::call(SYS_poll, &room, 1, 0) != 1 || (room.revents & POLLOUT) == 0)
        return;
    constexpr std::string_view begin = "lkl run: ", end = "\n";
    const auto piece = [](std::string_view one) {
        return iovec{const_cast<char*>(one.data()), one.size()};
    };
    const std::array line{piece(begin), piece(text), piece(end)};
    host::call(SYS_writev, descriptor, line.data(), line.size());
}

void MessageOnce::operator()(std::string_view text)
{
    const long process = host::call(SYS_getpid);
    if (last_process_.exchange(process) != process)
        message(text);
}

}  // namespace hijack
