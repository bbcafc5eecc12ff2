// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/shell/channel.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools::lkl_tool {

std::pair<Channel, Channel> Channel::make_pair()
{
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw ToolError(ExitCode::internal,
                        std::string("cannot make a socket: ") + std::strerror(errno));
    return {Channel(Descriptor(ends[0])), Channel(Descriptor(ends[1]))};
}

// read(), write() and poll(): the filter of system calls knows no others.
bool Channel::send(const std::string& message) const
{
    const std::string sent = message.substr(0, most);
    ssize_t written = 0;
    do
        written = write(socket_.get(), sent.data(), sent.size());
    while (written < 0 && errno == EINTR);
    return written == static_cast<ssize_t>(sent.size());
}

std::optional<std::string> Channel::receive() const
{
    std::string message(most, '\0');
    ssize_t count = 0;
    do
        count = read(socket_.get(), message.data(), message.size());
    while (count < 0 && errno == EINTR);
    if (count <= 0)
        return std::nullopt;
    message.resize(static_cast<size_t>(count));
    return message;
}

bool Channel::is_closed() const
{
    pollfd state{.fd = socket_.get(), .events = 0, .revents = 0};
    return poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace tools::lkl_tool
