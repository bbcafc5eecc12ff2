// SPDX-License-Identifier: GPL-2.0-only
// What the code in a script (%{ assert tcpi_snd_cwnd == 10 }%) is told. packetdrill asks the
// host's kernel for it, by getsockopt(2) of libc, also where a shared object has the stack; with
// this library as LD_PRELOAD it asks ours.
#include <cerrno>

#include <dlfcn.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <lkl/asm/unistd.h>

#include "packetdrill/socket_options.hpp"

namespace packetdrill {

namespace {

// Set before the script begins and reset when it has ended, by the thread that runs its code.
Stack* asked = nullptr;

// Those of packetdrill's code.c. All else may be about a socket of the host's.
bool is_of_code(int level, int name)
{
    constexpr int tcp_cc_info = 26;  // not in every libc
    return (level == SOL_TCP && (name == TCP_INFO || name == tcp_cc_info)) ||
           (level == SOL_SOCKET && name == SO_MEMINFO);
}

}  // namespace

void answer_by(Stack* stack)
{
    asked = stack;
}

}  // namespace packetdrill

[[gnu::visibility("default")]] int getsockopt(int fd, int level, int name, void* value,
                                              socklen_t* length) noexcept
{
    using namespace packetdrill;
    if (asked && is_of_code(level, name)) {
        const long result = asked->call(__lkl__NR_getsockopt, fd, level, name, value, length);
        if (result >= 0)
            return 0;
        errno = static_cast<int>(-result);
        return -1;
    }
    static const auto of_libc =
        reinterpret_cast<decltype(&::getsockopt)>(::dlsym(RTLD_NEXT, "getsockopt"));
    return of_libc(fd, level, name, value, length);
}
