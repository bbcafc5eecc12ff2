// SPDX-License-Identifier: GPL-2.0-only
// Functions of libc on any descriptor.
#include <cstddef>

#include <sys/types.h>

#include "hijack/symbols/symbol.hpp"

using hijack::libc_call;

HIJACK_SYMBOL(ssize_t, read, (int fd, void* buffer, size_t size))
{
    return libc_call(SYS_read, fd, buffer, size);
}
HIJACK_SYMBOL(ssize_t, __read, (int fd, void* buffer, size_t size))
{
    return libc_call(SYS_read, fd, buffer, size);
}
HIJACK_SYMBOL(ssize_t, __read_chk, (int fd, void* buffer, size_t size, size_t room))
{
    if (size > room)
        __builtin_trap();
    return libc_call(SYS_read, fd, buffer, size);
}
HIJACK_SYMBOL(ssize_t, write, (int fd, const void* buffer, size_t size))
{
    return libc_call(SYS_write, fd, buffer, size);
}
HIJACK_SYMBOL(ssize_t, __write, (int fd, const void* buffer, size_t size))
{
    return libc_call(SYS_write, fd, buffer, size);
}
HIJACK_SYMBOL(ssize_t, readv, (int fd, const void* pieces, int count))
{
    return libc_call(SYS_readv, fd, pieces, count);
}
HIJACK_SYMBOL(ssize_t, writev, (int fd, const void* pieces, int count))
{
    return libc_call(SYS_writev, fd, pieces, count);
}
HIJACK_SYMBOL(ssize_t, pread64, (int fd, void* buffer, size_t size, off_t offset))
{
    return libc_call(SYS_pread64, fd, buffer, size, offset);
}
HIJACK_SYMBOL(ssize_t, pread, (int fd, void* buffer, size_t size, off_t offset))
{
    return libc_call(SYS_pread64, fd, buffer, size, offset);
}
HIJACK_SYMBOL(ssize_t, pwrite64, (int fd, const void* buffer, size_t size, off_t offset))
{
    return libc_call(SYS_pwrite64, fd, buffer, size, offset);
}
HIJACK_SYMBOL(ssize_t, pwrite, (int fd, const void* buffer, size_t size, off_t offset))
{
    return libc_call(SYS_pwrite64, fd, buffer, size, offset);
}
HIJACK_SYMBOL(off_t, lseek, (int fd, off_t offset, int whence))
{
    return libc_call(SYS_lseek, fd, offset, whence);
}
HIJACK_SYMBOL(off_t, lseek64, (int fd, off_t offset, int whence))
{
    return libc_call(SYS_lseek, fd, offset, whence);
}
HIJACK_SYMBOL(int, fstat, (int fd, void* status))
{
    return static_cast<int>(libc_call(SYS_fstat, fd, status));
}
HIJACK_SYMBOL(int, fstat64, (int fd, void* status))
{
    return static_cast<int>(libc_call(SYS_fstat, fd, status));
}
HIJACK_SYMBOL(int, close, (int fd))
{
    return static_cast<int>(libc_call(SYS_close, fd));
}
HIJACK_SYMBOL(int, __close, (int fd))
{
    return static_cast<int>(libc_call(SYS_close, fd));
}
HIJACK_SYMBOL(int, close_range, (unsigned first, unsigned last, int flags))
{
    return static_cast<int>(libc_call(SYS_close_range, first, last, flags));
}
HIJACK_SYMBOL(void, closefrom, (int first))
{
    libc_call(SYS_close_range, first < 0 ? 0 : first, ~0u, 0);
}
HIJACK_SYMBOL(int, dup, (int fd))
{
    return static_cast<int>(libc_call(SYS_dup, fd));
}
HIJACK_SYMBOL(int, dup2, (int fd, int target))
{
    return static_cast<int>(libc_call(SYS_dup2, fd, target));
}
HIJACK_SYMBOL(int, dup3, (int fd, int target, int flags))
{
    return static_cast<int>(libc_call(SYS_dup3, fd, target, flags));
}
// Declared with an ellipsis; the third argument comes in the same register.
HIJACK_SYMBOL(int, fcntl, (int fd, int command, long argument))
{
    return static_cast<int>(libc_call(SYS_fcntl, fd, command, argument));
}
HIJACK_SYMBOL(int, fcntl64, (int fd, int command, long argument))
{
    return static_cast<int>(libc_call(SYS_fcntl, fd, command, argument));
}
HIJACK_SYMBOL(int, ioctl, (int fd, unsigned long request, long argument))
{
    return static_cast<int>(libc_call(SYS_ioctl, fd, request, argument));
}
HIJACK_SYMBOL(ssize_t, sendfile, (int out, int in, off_t* offset, size_t size))
{
    return libc_call(SYS_sendfile, out, in, offset, size);
}
HIJACK_SYMBOL(ssize_t, sendfile64, (int out, int in, off_t* offset, size_t size))
{
    return libc_call(SYS_sendfile, out, in, offset, size);
}
HIJACK_SYMBOL(ssize_t, splice,
              (int in, off_t* in_offset, int out, off_t* out_offset, size_t size, unsigned flags))
{
    return libc_call(SYS_splice, in, in_offset, out, out_offset, size, flags);
}
