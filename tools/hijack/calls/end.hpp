// SPDX-License-Identifier: GPL-2.0-only
// A descriptor of either side, for system calls that copy between the two.
#pragma once

#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>

#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::calls {

// Results as those of the kernel that has it. The caller of all but the first two is Inside.
struct End {
    explicit End(long fd) : number(static_cast<int>(fd)), kernel_fd(descriptors::ours(fd)) {}
    bool is_ours() const { return kernel_fd >= 0; }

    long call(long host_number, long kernel_number, void* buffer, size_t size,
              long offset = 0) const
    {
        return is_ours() ? stack::call(kernel_number, kernel_fd, buffer, size, offset)
                         : host::call(host_number, number, buffer, size, offset);
    }
    // Of fcntl(2); EBADF where it is not open as `wanted` says (O_RDONLY or O_WRONLY).
    long flags(int wanted) const
    {
        const long all = is_ours() ? stack::call(__lkl__NR_fcntl, kernel_fd, F_GETFL, 0)
                                   : host::call(SYS_fcntl, number, F_GETFL, 0);
        if (all < 0)
            return all;
        const long mode = all & O_ACCMODE;
        return (all & O_PATH) || (mode != wanted && mode != O_RDWR) ? -EBADF : all;
    }
    // Ours are none.
    bool is_pipe() const
    {
        return !is_ours() && host::call(SYS_fcntl, number, F_GETPIPE_SZ, 0) >= 0;
    }
    long read(void* buffer, size_t size) const
    {
        return call(SYS_read, __lkl__NR_read, buffer, size);
    }
    // Nothing is copied from a directory: EINVAL, not EISDIR.
    long read_at(void* buffer, size_t size, long offset) const
    {
        const long got = call(SYS_pread64, __lkl__NR_pread64, buffer, size, offset);
        return got == -EISDIR ? -EINVAL : got;
    }
    long write(void* buffer, size_t size) const
    {
        return call(SYS_write, __lkl__NR_write, buffer, size);
    }
    long write_at(void* buffer, size_t size, long offset) const
    {
        return call(SYS_pwrite64, __lkl__NR_pwrite64, buffer, size, offset);
    }
    // Negative: it has none, as a socket.
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

}  // namespace hijack::calls
