// SPDX-License-Identifier: GPL-2.0-only
// Functions of libc on paths: those that are called most. The others reach us by syscall
// user dispatch.
#include <fcntl.h>
#include <sys/types.h>

#include "hijack/symbols/symbol.hpp"

using hijack::libc_call;

HIJACK_SYMBOL(int, open, (const char* path, int flags, mode_t mode))
{
    return static_cast<int>(libc_call(SYS_openat, AT_FDCWD, path, flags, mode));
}
HIJACK_SYMBOL(int, open64, (const char* path, int flags, mode_t mode))
{
    return static_cast<int>(libc_call(SYS_openat, AT_FDCWD, path, flags, mode));
}
HIJACK_SYMBOL(int, openat, (int directory, const char* path, int flags, mode_t mode))
{
    return static_cast<int>(libc_call(SYS_openat, directory, path, flags, mode));
}
HIJACK_SYMBOL(int, openat64, (int directory, const char* path, int flags, mode_t mode))
{
    return static_cast<int>(libc_call(SYS_openat, directory, path, flags, mode));
}
HIJACK_SYMBOL(int, stat, (const char* path, void* status))
{
    return static_cast<int>(libc_call(SYS_newfstatat, AT_FDCWD, path, status, 0));
}
HIJACK_SYMBOL(int, stat64, (const char* path, void* status))
{
    return static_cast<int>(libc_call(SYS_newfstatat, AT_FDCWD, path, status, 0));
}
HIJACK_SYMBOL(int, access, (const char* path, int mode))
{
    return static_cast<int>(libc_call(SYS_access, path, mode));
}
