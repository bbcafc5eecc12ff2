// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/mounter_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tool.hpp"
#include "lklfuse/fuse_log_text.hpp"
#include "lklfuse/host_mount.hpp"
#include "lklfuse/read_ahead.hpp"

namespace tools::lklfuse {

namespace {

// One message with a descriptor, or without.
union Rights {
    cmsghdr header;
    std::array<char, CMSG_SPACE(sizeof(int))> space;
};

msghdr message(iovec& data, Rights& rights)
{
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = &rights;
    message.msg_controllen = sizeof rights;
    return message;
}

void answer(int channel, MounterReply& reply, int descriptor)
{
    iovec data{&reply, sizeof reply};
    Rights rights{};
    msghdr sent = message(data, rights);
    if (descriptor < 0) {
        sent.msg_controllen = 0;
    } else {
        rights.header = {CMSG_LEN(sizeof descriptor), SOL_SOCKET, SCM_RIGHTS};
        std::memcpy(CMSG_DATA(&rights.header), &descriptor, sizeof descriptor);
    }
    // Who does not listen any more has ended.
    (void)sendmsg(channel, &sent, MSG_NOSIGNAL);
}

// From now on nothing of where the tool was called is held.
void leave_caller()
{
    const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        dup2(null.get(), fd);
    (void)!chdir("/");
}

void mount(int channel, Options& options, std::optional<HostMount>& mounted)
{
    struct Destroy {
        void operator()(fuse_session* session) const { fuse_session_destroy(session); }
    };
    const fuse_lowlevel_ops nothing{};
    const std::unique_ptr<fuse_session, Destroy> session(
        fuse_session_new(&options.fuse.args, &nothing, sizeof nothing, nullptr));
    MounterReply reply;
    if (session == nullptr || fuse_session_mount(session.get(), options.mount_point.c_str()) != 0) {
        const std::string why = take_fuse_error();
        std::copy_n(why.data(), std::min(why.size(), reply.text.size()), reply.text.data());
        answer(channel, reply, -1);
        return;
    }
    mounted.emplace(options.mount_point);
    raise_read_ahead(options.mount_point);
    leave_caller();
    answer(channel, reply, fuse_session_fd(session.get()));
    // What is left of the connection here is closed: the other one's alone counts.
}

void obey(int channel, char command, Options& options, std::optional<HostMount>& mounted)
{
    if (command == mounter_mount)
        return mount(channel, options, mounted);
    MounterReply reply;
    if (mounted && command == mounter_write_cache)
        mounted->write_cache();
    else if (mounted)
        reply.unmounted = mounted->unmount(command == mounter_unmount_lazily);
    answer(channel, reply, -1);
}

ssize_t receive(int channel, msghdr& received)
{
    ssize_t length = 0;
    do
        length = recvmsg(channel, &received, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    return length;
}

}  // namespace

Descriptor ask_mounter(int channel, char command, MounterReply& reply)
{
    if (write(channel, &command, 1) != 1)
        return {};
    iovec data{&reply, sizeof reply};
    Rights rights{};
    msghdr received = message(data, rights);
    if (receive(channel, received) != sizeof reply) {
        reply = {};
        return {};
    }
    const cmsghdr* const header = CMSG_FIRSTHDR(&received);
    int descriptor = -1;
    if (header != nullptr && header->cmsg_type == SCM_RIGHTS)
        std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return Descriptor(descriptor);
}

void run_mounter_process(Descriptor channel, Options& options)
{
    // Those of a terminal are for the process that serves, which then says what is to
    // be done. What runs here must not outlive it, and does not.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
        std::signal(signal, SIG_IGN);
    // All others are the other process's, and closed when it closes them.
    const int kept = channel.get();
    close_descriptors_but({static_cast<unsigned>(kept)});

    std::optional<HostMount> mounted;
    char command = 0;
    iovec data{&command, 1};
    for (;;) {
        msghdr received{};
        received.msg_iov = &data;
        received.msg_iovlen = 1;
        if (receive(kept, received) != 1)
            _exit(0);
        obey(kept, command, options, mounted);
    }
}

}  // namespace tools::lklfuse
