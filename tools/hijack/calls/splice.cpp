// SPDX-License-Identifier: GPL-2.0-only
// splice(2) between a pipe of the host and what is ours. The bytes go through memory and a
// pipe of our own, which is how the host's kernel says how many of them a pipe takes, and
// waits for it, by the rules of its own splice(). Nothing is taken from where it comes from
// before it is where it goes: what did not go there is still to be read.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "hijack/calls/end.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/calls/splice.hpp"

namespace hijack::calls {

namespace {

// What a new pipe holds at most; the host's splice() sends as much at a time to a socket.
constexpr size_t piece = 64 << 10;  // bytes

constexpr unsigned known_flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;

class OwnPipe {
public:
    // Its ends wait, so that calls on it wait as the other pipe's flags say.
    OwnPipe() : error_(host::call(SYS_pipe2, ends_, O_CLOEXEC)) {}
    ~OwnPipe()
    {
        if (error_ < 0)
            return;
        host::call(SYS_close, ends_[0]);
        host::call(SYS_close, ends_[1]);
    }
    OwnPipe(const OwnPipe&) = delete;
    OwnPipe& operator=(const OwnPipe&) = delete;

    long error() const { return error_; }
    int reading() const { return ends_[0]; }
    int writing() const { return ends_[1]; }

private:
    int ends_[2] = {-1, -1};
    long error_;
};

// What the host's splice() would have sent. EPIPE.
long broken_pipe()
{
    host::call(SYS_tgkill, host::call(SYS_getpid), host::call(SYS_gettid), SIGPIPE);
    return -EPIPE;
}

// Its flags, or EBADF or EINVAL: it is none, or not open as `wanted` says.
long pipe_flags(const End& end, int wanted)
{
    const long flags = end.flags(wanted);
    return flags < 0 || end.is_pipe() ? flags : -EINVAL;
}

// Until the pipe takes something: before what it would be is looked for, as in the host's
// kernel.
long wait_for_room(const End& out, bool now)
{
    pollfd one{out.number, POLLOUT, 0};
    const long ready = host::call(SYS_poll, &one, 1, now ? 0 : -1);
    if (ready < 0)
        return ready;
    if (one.revents & POLLERR)
        return broken_pipe();
    return one.revents & POLLOUT ? 0 : -EAGAIN;
}

// A datagram of no bytes is taken as well.
long take_from_socket(const End& in, char* buffer, long size)
{
    return stack::call(__lkl__NR_recvfrom, in.kernel_fd, buffer, size, MSG_DONTWAIT, nullptr,
                       nullptr);
}

// The bytes that were looked at go to ours, and as many are then taken from the pipe.
long give(const End& out, const End& in, char* buffer, size_t size, long* offset, bool more)
{
    long put;
    if (offset) {
        put = out.write_at(buffer, size, *offset);
    } else {
        put = stack::call(__lkl__NR_sendto, out.kernel_fd, buffer, size, more ? MSG_MORE : 0,
                          nullptr, 0);
        if (put == -ENOTSOCK)
            put = out.write(buffer, size);
        if (put == -EPIPE)
            return broken_pipe();
    }
    if (put <= 0)
        return put;
    if (offset)
        *offset += put;
    for (long taken = 0; taken < put;) {
        const long n = host::call(SYS_read, in.number, buffer, put - taken);
        if (n <= 0)
            break;
        taken += n;
    }
    return put;
}

long pipe_to_ours(const End& out, const End& in, long* offset, size_t size, unsigned flags)
{
    if (const long error = pipe_flags(in, O_RDONLY); error < 0)
        return error;
    const auto buffer = std::make_unique_for_overwrite<char[]>(piece);
    size_t done = 0;
    long result = 0;
    while (done < size) {
        const OwnPipe own;
        if (own.error() < 0)
            return own.error();
        // It waits for the first of them alone.
        const unsigned now = done > 0 ? SPLICE_F_NONBLOCK : flags & SPLICE_F_NONBLOCK;
        const size_t most = std::min(size - done, piece);
        result = host::call(SYS_tee, in.number, own.writing(), most, now);
        if (result > 0)
            result = host::call(SYS_read, own.reading(), buffer.get(), result);
        if (result <= 0)
            break;
        const auto got = static_cast<size_t>(result);
        result = give(out, in, buffer.get(), got, offset, flags & SPLICE_F_MORE);
        if (result <= 0)
            break;
        done += static_cast<size_t>(result);
        if (static_cast<size_t>(result) < got)
            break;
    }
    return done > 0 ? static_cast<long>(done) : result;
}

}  // namespace

long ours_to_pipe(const End& out, const End& in, long* offset, size_t size, unsigned flags)
{
    const long of_pipe = pipe_flags(out, O_WRONLY);
    if (of_pipe < 0)
        return of_pipe;
    const bool now = (flags & SPLICE_F_NONBLOCK) || (of_pipe & O_NONBLOCK);
    if (const long error = wait_for_room(out, now); error < 0)
        return error;
    const OwnPipe own;
    if (own.error() < 0)
        return own.error();
    // Where the user has too many pipes it holds less than others.
    host::call(SYS_fcntl, own.writing(), F_SETFL, O_NONBLOCK);
    const size_t most = std::min(size, piece);
    const auto buffer = std::make_unique_for_overwrite<char[]>(most);
    const long position = in.position();
    const bool is_socket = position < 0;
    const long from = offset ? *offset : position;
    const long got = is_socket ? stack::call(__lkl__NR_recvfrom, in.kernel_fd, buffer.get(), most,
                                             MSG_PEEK, nullptr, nullptr)
                               : in.read_at(buffer.get(), most, from);
    long moved = got;
    if (got > 0)
        moved = host::call(SYS_write, own.writing(), buffer.get(), got);
    if (moved > 0)
        moved = host::call(SYS_splice, own.reading(), nullptr, out.number, nullptr, moved, flags);
    if (moved < 0)
        return moved;
    if (is_socket)
        take_from_socket(in, buffer.get(), moved);
    else if (offset)
        *offset = from + moved;
    else
        in.seek(from + moved);
    return moved;
}

long splice(const long* args)
{
    const End in(args[0]), out(args[2]);
    if (!out.is_ours() && !in.is_ours())
        return host::raw(SYS_splice, args);
    const Inside inside;
    auto* const in_offset = host::to_pointer<long>(args[1]);
    auto* const out_offset = host::to_pointer<long>(args[3]);
    const auto size = static_cast<size_t>(args[4]);
    const auto flags = static_cast<unsigned>(args[5]);
    if (flags & ~known_flags)
        return -EINVAL;
    if (size == 0)
        return 0;
    // A pipe of ours there is none.
    if (out.is_ours() && in.is_ours())
        return -EINVAL;
    if (out.is_ours() ? in_offset : out_offset)
        return -ESPIPE;
    if ((in_offset && in.position() < 0) || (out_offset && out.position() < 0))
        return -EINVAL;
    return out.is_ours() ? pipe_to_ours(out, in, out_offset, size, flags)
                         : ours_to_pipe(out, in, in_offset, size, flags);
}

// Between pipes alone, and ours are none.
long tee(const long* args)
{
    const End in(args[0]), out(args[1]);
    if (!out.is_ours() && !in.is_ours())
        return host::raw(SYS_tee, args);
    const Inside inside;
    if (static_cast<unsigned>(args[3]) & ~known_flags)
        return -EINVAL;
    if (args[2] == 0)
        return 0;
    for (const auto& [end, wanted] : {std::pair{in, O_RDONLY}, std::pair{out, O_WRONLY}})
        if (const long flags = end.flags(wanted); flags < 0)
            return flags;
    return -EINVAL;
}

}  // namespace hijack::calls
