// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/mounter.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/report.hpp"
#include "lklfuse/mounter_process.hpp"

namespace tools::lklfuse {

namespace {

constexpr std::string_view open_connection = "/dev/fd/";

[[noreturn]] void fail(const char* what)
{
    throw ToolError(ExitCode::internal, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

Mounter::Mounter(Options& options) : options_(options)
{
    if (options.mount_point.starts_with(open_connection))
        return;
    std::array<int, 2> ends;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        fail("socketpair");
    channel_ = Descriptor(ends[0]);
    Descriptor other(ends[1]);
    const pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        run_mounter_process(std::move(other), options);
}

Descriptor Mounter::mount()
{
    if (!ours())
        return take_over();
    MounterReply reply;
    Descriptor connection = ask_mounter(channel_.get(), mounter_mount, reply);
    if (!connection) {
        const std::string why(reply.text.data(), strnlen(reply.text.data(), reply.text.size()));
        throw ToolError(ExitCode::output, escaped(options_.mount_point) + ": cannot mount there" +
                                              (why.empty() ? "" : ": " + escaped(why)));
    }
    return connection;
}

Descriptor Mounter::take_over() const
{
    const std::string_view number =
        std::string_view(options_.mount_point).substr(open_connection.size());
    int fd = -1;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fd);
    if (error != std::errc() || end != number.data() + number.size() || fcntl(fd, F_GETFD) < 0)
        throw ToolError(ExitCode::output,
                        escaped(options_.mount_point) + ": cannot mount there: not open");
    return Descriptor(fd);
}

void Mounter::write_host_cache()
{
    MounterReply reply;
    if (ours())
        ask_mounter(channel_.get(), mounter_write_cache, reply);
    else
        sync();
}

Unmounted Mounter::unmount(bool lazy)
{
    MounterReply reply;
    if (ours())
        ask_mounter(channel_.get(), lazy ? mounter_unmount_lazily : mounter_unmount, reply);
    return reply.unmounted;
}

}  // namespace tools::lklfuse
