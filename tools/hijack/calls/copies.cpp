// SPDX-License-Identifier: GPL-2.0-only
// System calls that copy from one descriptor to another: between the two sides they go
// through memory.
#include <algorithm>
#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>

#include "hijack/calls/end.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/calls/splice.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::calls {

namespace {

constexpr size_t piece = 256 << 10;  // bytes

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
    if (const long flags = in.flags(O_RDONLY); flags < 0)
        return flags;
    const long position = in.position();
    if (given && position < 0)
        return -ESPIPE;
    long offset = given ? *given : position;
    if (given && offset < 0)
        return -EINVAL;
    const long out_flags = out.flags(O_WRONLY);
    if (out_flags < 0)
        return out_flags;
    if (out.is_pipe())
        return size == 0 ? 0 : ours_to_pipe(out, in, given, size, 0);
    // From what cannot be seeked it copies into pipes alone.
    if (position < 0 || (out_flags & O_APPEND))
        return -EINVAL;
    const long result = copy_at(out, in, &offset, size);
    if (result > 0) {
        if (given)
            *given = offset;
        else
            in.seek(offset);
    }
    // An eventfd(2), for instance: it has a position, but is not read at one.
    return !given && result == -ESPIPE ? -EINVAL : result;
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
