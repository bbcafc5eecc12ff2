// SPDX-License-Identifier: GPL-2.0-only
// System calls by an instruction of the program's own, as runtimes without libc make
// them: a TCP connection to itself. Prints 0, or the number of the step that went wrong, with exit
// code 1 if anything else comes of it than should. With arguments, numbers of calls: what each
// returns whose own arguments are all 0.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace {

long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0)
{
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    long result;
    asm volatile("syscall"
                 : "=a"(result)
                 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

template <typename T>
long address_of(T* pointer)
{
    return reinterpret_cast<long>(pointer);
}

volatile sig_atomic_t handled = 0;

int connect_to_itself()
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    const long listener = raw(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (raw(SYS_bind, listener, address_of(&address), length) != 0 ||
        raw(SYS_listen, listener, 1) != 0 ||
        raw(SYS_getsockname, listener, address_of(&address), address_of(&length)) != 0)
        return 1;
    const long client = raw(SYS_socket, AF_INET, SOCK_STREAM, 0);
    if (raw(SYS_connect, client, address_of(&address), length) != 0)
        return 2;
    const long server = raw(SYS_accept, listener, 0, 0);
    char text[6] = {};
    if (raw(SYS_write, client, address_of("hello"), 5) != 5 ||
        raw(SYS_read, server, address_of(text), 5) != 5 || std::strcmp(text, "hello") != 0)
        return 3;
    if (raw(SYS_close, client) != 0 || raw(SYS_read, server, address_of(text), 5) != 0 ||
        raw(SYS_close, server) != 0 || raw(SYS_read, server, address_of(text), 5) != -EBADF)
        return 4;
    return 0;
}

// Handlers return, masks count, and threads go on, all by instructions of libc's.
int use_signals()
{
    std::signal(SIGUSR1, [](int) { handled = handled + 1; });
    sigset_t set;
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::raise(SIGUSR1);
    if (handled != 0)
        return 5;
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    return handled == 1 ? 0 : 6;
}

}  // namespace

int main(int count, char** numbers)
{
    for (int i = 1; i < count; i++)
        std::printf("%ld\n", raw(std::strtol(numbers[i], nullptr, 10)));
    if (count > 1)
        return 0;
    int result = connect_to_itself();
    if (result == 0)
        result = use_signals();
    int on_thread = 0;
    std::thread([&on_thread] { on_thread = connect_to_itself(); }).join();
    if (result == 0)
        result = on_thread;

    std::printf("%d\n", result);
    return result == 0 ? 0 : 1;
}
