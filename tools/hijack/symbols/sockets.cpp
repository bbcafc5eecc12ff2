// SPDX-License-Identifier: GPL-2.0-only
// Functions of libc on sockets.
#include <cstddef>

#include <sys/types.h>

#include "hijack/symbols/symbol.hpp"

using hijack::libc_call;

HIJACK_SYMBOL(int, socket, (int family, int type, int protocol))
{
    return static_cast<int>(libc_call(SYS_socket, family, type, protocol));
}
HIJACK_SYMBOL(int, socketpair, (int family, int type, int protocol, int* ends))
{
    return static_cast<int>(libc_call(SYS_socketpair, family, type, protocol, ends));
}
HIJACK_SYMBOL(int, bind, (int fd, const void* address, unsigned length))
{
    return static_cast<int>(libc_call(SYS_bind, fd, address, length));
}
HIJACK_SYMBOL(int, connect, (int fd, const void* address, unsigned length))
{
    return static_cast<int>(libc_call(SYS_connect, fd, address, length));
}
HIJACK_SYMBOL(int, __connect, (int fd, const void* address, unsigned length))
{
    return static_cast<int>(libc_call(SYS_connect, fd, address, length));
}
HIJACK_SYMBOL(int, listen, (int fd, int backlog))
{
    return static_cast<int>(libc_call(SYS_listen, fd, backlog));
}
HIJACK_SYMBOL(int, accept, (int fd, void* address, unsigned* length))
{
    return static_cast<int>(libc_call(SYS_accept, fd, address, length));
}
HIJACK_SYMBOL(int, accept4, (int fd, void* address, unsigned* length, int flags))
{
    return static_cast<int>(libc_call(SYS_accept4, fd, address, length, flags));
}
HIJACK_SYMBOL(int, getsockname, (int fd, void* address, unsigned* length))
{
    return static_cast<int>(libc_call(SYS_getsockname, fd, address, length));
}
HIJACK_SYMBOL(int, getpeername, (int fd, void* address, unsigned* length))
{
    return static_cast<int>(libc_call(SYS_getpeername, fd, address, length));
}
HIJACK_SYMBOL(int, getsockopt, (int fd, int level, int name, void* value, unsigned* length))
{
    return static_cast<int>(libc_call(SYS_getsockopt, fd, level, name, value, length));
}
HIJACK_SYMBOL(int, setsockopt, (int fd, int level, int name, const void* value, unsigned length))
{
    return static_cast<int>(libc_call(SYS_setsockopt, fd, level, name, value, length));
}
HIJACK_SYMBOL(int, shutdown, (int fd, int how))
{
    return static_cast<int>(libc_call(SYS_shutdown, fd, how));
}
HIJACK_SYMBOL(ssize_t, send, (int fd, const void* buffer, size_t size, int flags))
{
    return libc_call(SYS_sendto, fd, buffer, size, flags, nullptr, 0);
}
HIJACK_SYMBOL(ssize_t, __send, (int fd, const void* buffer, size_t size, int flags))
{
    return libc_call(SYS_sendto, fd, buffer, size, flags, nullptr, 0);
}
HIJACK_SYMBOL(ssize_t, sendto,
              (int fd, const void* buffer, size_t size, int flags, const void* address,
               unsigned length))
{
    return libc_call(SYS_sendto, fd, buffer, size, flags, address, length);
}
HIJACK_SYMBOL(ssize_t, sendmsg, (int fd, const void* message, int flags))
{
    return libc_call(SYS_sendmsg, fd, message, flags);
}
HIJACK_SYMBOL(int, sendmmsg, (int fd, void* messages, unsigned count, int flags))
{
    return static_cast<int>(libc_call(SYS_sendmmsg, fd, messages, count, flags));
}
HIJACK_SYMBOL(ssize_t, recv, (int fd, void* buffer, size_t size, int flags))
{
    return libc_call(SYS_recvfrom, fd, buffer, size, flags, nullptr, nullptr);
}
HIJACK_SYMBOL(ssize_t, __recv_chk, (int fd, void* buffer, size_t size, size_t room, int flags))
{
    if (size > room)
        __builtin_trap();
    return libc_call(SYS_recvfrom, fd, buffer, size, flags, nullptr, nullptr);
}
HIJACK_SYMBOL(ssize_t, recvfrom,
              (int fd, void* buffer, size_t size, int flags, void* address, unsigned* length))
{
    return libc_call(SYS_recvfrom, fd, buffer, size, flags, address, length);
}
HIJACK_SYMBOL(ssize_t, __recvfrom_chk,
              (int fd, void* buffer, size_t size, size_t room, int flags, void* address,
               unsigned* length))
{
    if (size > room)
        __builtin_trap();
    return libc_call(SYS_recvfrom, fd, buffer, size, flags, address, length);
}
HIJACK_SYMBOL(ssize_t, recvmsg, (int fd, void* message, int flags))
{
    return libc_call(SYS_recvmsg, fd, message, flags);
}
HIJACK_SYMBOL(int, recvmmsg, (int fd, void* messages, unsigned count, int flags, void* timeout))
{
    return static_cast<int>(libc_call(SYS_recvmmsg, fd, messages, count, flags, timeout));
}
