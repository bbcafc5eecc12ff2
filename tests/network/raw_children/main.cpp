// SPDX-License-Identifier: GPL-2.0-only
// Under `lkl run`: children and threads that are made without libc's fork() and
// pthread_create(). No child has its parent's sockets, nor the host's, none of them crashes,
// and the parent goes on. Exit code 1, and the name of what went wrong.
//
//     raw_children [libc]       libc: calls by instructions are the host's (--no-dispatch)
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

namespace {

bool by_libc_only = false;
int client = -1, server = -1;

long raw(long number, long a = 0, long b = 0, long c = 0)
{
    register long r10 asm("r10") = 0;
    register long r8 asm("r8") = 0;
    register long r9 asm("r9") = 0;
    long result = 0;
    asm volatile("syscall"
                 : "=a"(result)
                 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

void need(bool fine, const char* what)
{
    if (fine)
        return;
    std::fprintf(stderr, "raw_children: %s: %s\n", what, std::strerror(errno));
    _exit(1);
}

sockaddr_in listen_at_loopback(int listener)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    need(bind(listener, generic, length) == 0 && listen(listener, 1) == 0 &&
             getsockname(listener, generic, &length) == 0,
         "listen");
    return address;
}

void connect_to_itself()
{
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = listen_at_loopback(listener);
    client = socket(AF_INET, SOCK_STREAM, 0);
    need(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
         "connect");
    server = accept(listener, nullptr, nullptr);
    need(server >= 0, "accept");
}

void talk(const char* after)
{
    char text[6] = {};
    need(write(client, "hello", 5) == 5 && read(server, text, 5) == 5 &&
             std::string_view(text) == "hello",
         after);
}

template <typename Result>
bool is_down(Result result)
{
    return result == -1 && errno == ENETDOWN;
}

// What a forked child sees.
bool has_no_network()
{
    // First: nothing of the library's has been called there yet.
    if (!by_libc_only && raw(SYS_socket, AF_INET, SOCK_STREAM) != -ENETDOWN)
        return false;
    return is_down(write(client, "x", 1)) && is_down(socket(AF_INET, SOCK_STREAM, 0)) &&
           close(client) == 0;
}

void wait_for(long child, const char* what)
{
    int status = 1;
    need(child > 0 && waitpid(static_cast<pid_t>(child), &status, 0) == child && status == 0, what);
    talk(what);
}

// `make` returns twice. Destructors run in the child as well.
template <typename Make>
void fork_by(const char* what, Make make)
{
    const long child = make();
    if (child == 0)
        std::exit(has_no_network() ? 0 : 1);
    wait_for(child, what);
}

long clone3_by_libc()
{
    uint64_t arguments[11] = {};
    arguments[4] = SIGCHLD;
    return syscall(SYS_clone3, arguments, sizeof arguments);
}

// With a structure of the kernel's first version.
long clone3_by_instruction()
{
    uint64_t arguments[8] = {};
    arguments[4] = SIGCHLD;
    return raw(SYS_clone3, reinterpret_cast<long>(arguments), sizeof arguments);
}

void fork_by_all()
{
    constexpr long like_vfork = CLONE_VM | CLONE_VFORK | SIGCHLD;
    fork_by("_Fork", [] { return static_cast<long>(_Fork()); });
    fork_by("fork by syscall()", [] { return syscall(SYS_fork); });
    fork_by("vfork by syscall()", [] { return syscall(SYS_vfork); });
    fork_by("clone by syscall()", [] { return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); });
    fork_by("clone by syscall(), as vfork",
            [] { return syscall(SYS_clone, like_vfork, 0, 0, 0, 0); });
    fork_by("clone3 by syscall()", clone3_by_libc);
    fork_by("fork by an instruction", [] { return raw(SYS_fork); });
    fork_by("clone by an instruction", [] { return raw(SYS_clone, SIGCHLD); });
    fork_by("clone3 by an instruction", clone3_by_instruction);
    if (by_libc_only)
        return;
    fork_by("vfork by an instruction", [] { return raw(SYS_vfork); });
    fork_by("clone by an instruction, as vfork", [] { return raw(SYS_clone, like_vfork); });
}

// clone(3), whose child has a stack of its own.
void clone_by_libc(const char* what, int (*function)(void*), int flags)
{
    alignas(16) static char stack[256 << 10];
    wait_for(clone(function, stack + sizeof stack, flags | SIGCHLD, nullptr), what);
}

int forked_on_its_stack(void*)
{
    return has_no_network() ? 0 : 1;
}

// On the parent's memory, as posix_spawn() makes its children, until it is a program.
int prepare_for_program(void*)
{
    if (!is_down(socket(AF_INET, SOCK_STREAM, 0)) || !is_down(write(client, "x", 1)))
        _exit(1);
    if (dup2(client, 0) != 0 || close(client) != 0 || close(server) != 0)
        _exit(2);
    const char* const words[] = {"true", nullptr};
    execve("/bin/true", const_cast<char**>(words), environ);
    _exit(3);
}

int send_by_instruction(void*)
{
    return raw(SYS_write, client, reinterpret_cast<long>("hello"), 5) == 5 ? 0 : 1;
}

void use_thread_of_c11()
{
    thrd_t thread{};
    int result = 1;
    need(thrd_create(&thread, send_by_instruction, nullptr) == thrd_success &&
             thrd_join(thread, &result) == thrd_success && result == 0,
         "a thread of C11");
    char text[5];
    need(read(server, text, sizeof text) == sizeof text, "a thread of C11");
}

std::atomic<int> told{0};

// One of libc's own threads, which the library sees with its first call.
void use_thread_of_timer()
{
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = [](sigval) {
        const bool fine = write(client, "x", 1) == 1 && send_by_instruction(nullptr) == 0;
        told = fine ? 1 : 2;
    };
    timer_t timer{};
    const itimerspec soon{{}, {0, 1000000}};
    need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
             timer_settime(timer, 0, &soon, nullptr) == 0,
         "a timer");
    while (told == 0)
        usleep(1000);
    need(told == 1, "a thread of a timer");
    char text[6];
    need(recv(server, text, sizeof text, MSG_WAITALL) == sizeof text, "a thread of a timer");
    timer_delete(timer);
}

}  // namespace

int main(int count, char** words)
{
    by_libc_only = count > 1 && std::string_view(words[1]) == "libc";
    alarm(60);
    connect_to_itself();
    fork_by_all();
    clone_by_libc("clone(3)", forked_on_its_stack, 0);
    if (!by_libc_only) {
        clone_by_libc("clone(3) on its parent's memory", prepare_for_program,
                      CLONE_VM | CLONE_VFORK);
        use_thread_of_c11();
        use_thread_of_timer();
    }
    std::puts("fine");
    return 0;
}
