// SPDX-License-Identifier: GPL-2.0-only
// System calls that copy from one descriptor to another: between the two sides they go
// through memory.
#include <algorithm>
#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>

#include "hijack/calls/rules.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::calls {

namespace {

constexpr size_t piece = 256 << 10;  // bytes

// A descriptor of either side.
struct End {
    explicit End(long fd) : number(static_cast<int>(fd)), kernel_fd(descriptors::ours(fd)) {}
    bool is_ours() const { return kernel_fd >= 0; }

    long call(long host_number, long kernel_number, void* buffer, size_t size,
              long offset = 0) const
    {
        return is_ours() ? stack::call(kernel_number, kernel_fd, buffer, size, offset)
                         : host::call(host_number, number, buffer, size, offset);
    }
    long read(void* buffer, size_t size) const
    {
        return call(SYS_read, __lkl__NR_read, buffer, size);
    }
    long read_at(void* buffer, size_t size, long offset) const
    {
        return call(SYS_pread64, __lkl__NR_pread64, buffer, size, offset);
    }
    long write(void* buffer, size_t size) const
    {
        return call(SYS_write, __lkl__NR_write, buffer, size);
    }
    long position() const
    {
        return is_ours() ? stack::call(__lkl__NR_lseek, kernel_fd, 0, SEEK_CUR)
                         : host::call(SYS_lseek, number, 0, SEEK_CUR);
    }
    void seek(long offset) const
    {
        is_ours() ? stack::call(__lkl__NR_lseek, kernel_fd, offset, SEEK_SET)
                  : host::call(SYS_lseek, number, offset, SEEK_SET);
    }

    int number;
    int kernel_fd;
};

// From `offset` of a file until `size` bytes are written, or no more are taken.
long copy_at(const End& out, const End& in, long* offset, size_t size)
{
    const auto buffer = std::make_unique_for_overwrite<char[]>(std::min(size, piece));
    size_t done = 0;
    while (done < size) {
        const long got = in.read_at(buffer.get(), std::min(size - done, piece), *offset);
        if (got <= 0)
            return done > 0 ? static_cast<long>(done) : got;
        const long put = out.write(buffer.get(), static_cast<size_t>(got));
        if (put < 0)
            return done > 0 ? static_cast<long>(done) : put;
        *offset += put;
        done += static_cast<size_t>(put);
        if (put < got)
            break;
    }
    return static_cast<long>(done);
}

// From a pipe of the host to a socket of ours. What the socket does not take stays in the
// pipe: it is looked at in a second pipe first.
long pipe_to_ours(const End& out, const End& in, size_t size, bool more)
{
    int peek[2];
    if (const long error = host::call(SYS_pipe2, peek, O_CLOEXEC | O_NONBLOCK); error < 0)
        return error;
    const auto buffer = std::make_unique_for_overwrite<char[]>(piece);
    long result = host::call(SYS_tee, in.number, peek[1], std::min(size, piece), 0);
    if (result > 0)
        result = host::call(SYS_read, peek[0], buffer.get(), piece);
    if (result > 0)
        result = stack::call(__lkl__NR_sendto, out.kernel_fd, buffer.get(), result,
                             more ? MSG_MORE : 0, nullptr, 0);
    if (result > 0)
        host::call(SYS_read, in.number, buffer.get(), result);
    host::call(SYS_close, peek[0]);
    host::call(SYS_close, peek[1]);
    return result;
}

// From a socket of ours to a pipe of the host: what fits stands in the socket until it is
// in the pipe.
long ours_to_pipe(const End& out, const End& in, size_t size)
{
    const auto buffer = std::make_unique_for_overwrite<char[]>(std::min(size, piece));
    long result = stack::call(__lkl__NR_recvfrom, in.kernel_fd, buffer.get(), std::min(size, piece),
                              MSG_PEEK, nullptr, nullptr);
    if (result > 0)
        result = host::call(SYS_write, out.number, buffer.get(), result);
    if (result > 0)
        stack::call(__lkl__NR_recvfrom, in.kernel_fd, buffer.get(), result, 0, nullptr, nullptr);
    return result;
}

}  // namespace

long sendfile(const long* args)
{
    const End out(args[0]), in(args[1]);
    if (!out.is_ours() && !in.is_ours())
        return host::raw(SYS_sendfile, args);
    const Inside inside;
    auto* const given = host::to_pointer<long>(args[2]);
    const auto size = std::min(static_cast<size_t>(args[3]), size_t{0x7ffff000});
    if (out.is_ours() && in.is_ours())
        return stack::call(__lkl__NR_sendfile, out.kernel_fd, in.kernel_fd, given, size);
    long offset = given ? *given : in.position();
    if (offset < 0)
        return given ? -EINVAL : offset;
    const long result = copy_at(out, in, &offset, size);
    if (result > 0) {
        if (given)
            *given = offset;
        else
            in.seek(offset);
    }
    return result;
}

long splice(const long* args)
{
    const End in(args[0]), out(args[2]);
    if (!out.is_ours() && !in.is_ours())
        return host::raw(SYS_splice, args);
    const Inside inside;
    // A pipe of ours there is none; sockets have no offset.
    if ((out.is_ours() && in.is_ours()) || args[1] != 0 || args[3] != 0)
        return -EINVAL;
    const auto size = static_cast<size_t>(args[4]);
    if (size == 0)
        return 0;
    return out.is_ours() ? pipe_to_ours(out, in, size, args[5] & SPLICE_F_MORE)
                         : ours_to_pipe(out, in, size);
}

long copy_file_range(const long* args)
{
    const End in(args[0]), out(args[2]);
    if (!out.is_ours() && !in.is_ours())
        return host::raw(SYS_copy_file_range, args);
    if (!out.is_ours() || !in.is_ours())
        return -EXDEV;  // callers then copy themselves
    const Inside inside;
    return stack::call(__lkl__NR_copy_file_range, in.kernel_fd, args[1], out.kernel_fd, args[3],
                       args[4], args[5]);
}

}  // namespace hijack::calls
