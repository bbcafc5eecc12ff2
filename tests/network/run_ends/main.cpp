// SPDX-License-Identifier: GPL-2.0-only
// Under `lkl run --mount`: a program that ends in one of many ways. What it said was written to
// files in DIRECTORY is to be in the image, which the test looks for.
//
//     run_ends DIRECTORY WAY [COUNTS]
//
// WAY:
//     stdio, redirected, destructor, thread
//                  text that stdio has at exit(3): in a file of its own, as standard output, by a
//                  destructor, at an exit by another thread
//     quick, _exit the same, and an end that has stdio forget it
//     abort        abort(3) after write(2)
//     forked       children that end by exit(3), after which the parent goes on
//     last-thread  main() ends by pthread_exit(3), and its threads end after it
//     two-exits    _exit(2) by one thread while another one ends the process
//     term-at-exit SIGTERM while another thread ends the process
//     sigsuspend, ppoll
//                  SIGTERM, which is let in by them alone
//     interrupted  SIGTERM, and other signals have handlers meanwhile
//     handler      SIGTERM gets a handler while our kernel starts
//     writers      threads that write until the process is gone; how many records each was told
//                  are written is in COUNTS, shared memory
//     waits        says "ready", and waits in our kernel
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

std::string directory;
FILE* late = nullptr;

void need(bool fine, const char* what)
{
    if (fine)
        return;
    std::fprintf(stderr, "run_ends: %s: %s\n", what, std::strerror(errno));
    _exit(1);
}

FILE* make(const char* name)
{
    FILE* const file = std::fopen((directory + "/" + name).c_str(), "w");
    need(file, name);
    return file;
}

int make_descriptor(const char* name, int flags = 0)
{
    const int file =
        open((directory + "/" + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    need(file >= 0, name);
    return file;
}

void write_file(const char* name)
{
    need(write(make_descriptor(name), "written\n", 8) == 8, name);
}

__attribute__((destructor)) void end()
{
    if (late)
        std::fputs("late\n", late);
}

[[noreturn]] void sleep_for_ever()
{
    for (;;)
        pause();
}

// A connection whose network is gone: nobody confirms that it has ended, for which the end of the
// process waits.
void leave_unconfirmed()
{
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    need(bind(listener, generic, length) == 0 && listen(listener, 1) == 0 &&
             getsockname(listener, generic, &length) == 0,
         "listen");
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    need(connect(client, generic, length) == 0, "connect");
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    need(ioctl(client, SIOCSIFFLAGS, &loopback) == 0, "SIOCSIFFLAGS");
}

void end_in_thread(int (*function)())
{
    std::thread([function] {
        function();
        sleep_for_ever();
    }).detach();
}

void end_while_another_ends(bool by_signal)
{
    leave_unconfirmed();
    write_file("written");
    end_in_thread([] {
        _exit(0);
        return 0;
    });
    std::this_thread::sleep_for(500ms);
    if (by_signal) {
        raise(SIGTERM);
        need(false, "SIGTERM");
    }
    _exit(0);
}

void let_term_in(bool by_poll)
{
    write_file("written");
    sigset_t term;
    sigset_t none;
    sigemptyset(&none);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    need(sigprocmask(SIG_BLOCK, &term, nullptr) == 0 && raise(SIGTERM) == 0, "raise");
    if (by_poll)
        ppoll(nullptr, 0, nullptr, &none);
    else
        sigsuspend(&none);
    need(false, "goes on after SIGTERM");
}

void end_among_handlers()
{
    struct sigaction action {};
    action.sa_handler = [](int) {};
    need(sigaction(SIGURG, &action, nullptr) == 0, "sigaction");
    const std::vector<char> much(4 << 20, 'x');
    const int file = make_descriptor("much");
    need(write(file, much.data(), much.size()) == static_cast<ssize_t>(much.size()), "much");
    write_file("written");
    std::thread([thread = pthread_self()] {
        for (;; std::this_thread::sleep_for(100us))
            pthread_kill(thread, SIGURG);
    }).detach();
    raise(SIGTERM);
    need(false, "SIGTERM");
}

volatile sig_atomic_t handled = 0;

void handle(int)
{
    handled = 1;
}

// Whether the handler that one thread has asked for is there while another one makes the first
// call on the image.
void take_signal_at_start()
{
    std::atomic<bool> begun{false};
    std::thread starter([&] {
        begun = true;
        write_file("written");
    });
    while (!begun) {}
    struct sigaction action {};
    action.sa_handler = handle;
    struct sigaction default_action {};
    default_action.sa_handler = SIG_DFL;
    const auto end = std::chrono::steady_clock::now() + 500ms;
    while (std::chrono::steady_clock::now() < end) {
        handled = 0;
        need(sigaction(SIGTERM, &action, nullptr) == 0 && raise(SIGTERM) == 0 && handled == 1,
             "handler");
        need(sigaction(SIGTERM, &default_action, nullptr) == 0, "sigaction");
    }
    starter.join();
    raise(SIGTERM);
    need(false, "SIGTERM");
}

void fork_and_exit()
{
    FILE* const file = make("written");
    std::fputs("written\n", file);
    need(std::fflush(file) == 0, "flush");
    for (int i = 0; i < 3; i++) {
        const int child = fork();
        if (child == 0)
            std::exit(3);
        int status = 0;
        need(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3,
             "child");
    }
    std::fputs("more\n", file);
}

[[noreturn]] void end_by_last_thread()
{
    std::thread([] {
        std::this_thread::sleep_for(200ms);
        std::fputs("written\n", make("written"));
    }).detach();
    pthread_exit(nullptr);
}

constexpr size_t writers = 4;
constexpr size_t record_size = 64;
using Count = std::atomic<uint64_t>;

// A record is its number, again and again.
void write_until_the_end(const char* name)
{
    const int shared = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    need(shared >= 0 && ftruncate(shared, writers * sizeof(Count)) == 0, name);
    void* const memory =
        mmap(nullptr, writers * sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    need(memory != MAP_FAILED, name);
    auto* const counts = static_cast<Count*>(memory);
    for (size_t i = 0; i < writers; i++) {
        const int file = make_descriptor(std::to_string(i).c_str(), O_APPEND);
        std::thread([count = counts + i, file] {
            for (;;) {
                std::array<uint64_t, record_size / sizeof(uint64_t)> record{};
                record.fill(*count);
                need(write(file, record.data(), record_size) == record_size, "write");
                if (++*count % 16 == 0)
                    std::this_thread::sleep_for(100us);
            }
        }).detach();
    }
    while (std::any_of(counts, counts + writers, [](const Count& count) { return count < 1000; }))
        std::this_thread::sleep_for(1ms);
    raise(SIGTERM);
    need(false, "SIGTERM");
}

void wait_in_kernel()
{
    write_file("written");
    const int receiver = socket(AF_INET, SOCK_DGRAM, 0);
    need(receiver >= 0 && write(STDOUT_FILENO, "ready\n", 6) == 6, "ready");
    char data = 0;
    recv(receiver, &data, 1, 0);
    need(false, "recv");
}

void run(std::string_view way, const char* counts)
{
    if (way == "stdio") {
        std::fputs("written\n", make("written"));
    } else if (way == "redirected") {
        need(std::freopen((directory + "/written").c_str(), "w", stdout), "freopen");
        std::puts("written");
    } else if (way == "destructor") {
        late = make("written");
    } else if (way == "thread") {
        std::fputs("written\n", make("written"));
        end_in_thread([]() -> int { std::exit(0); });
        sleep_for_ever();
    } else if (way == "quick") {
        std::fputs("written\n", make("written"));
        std::quick_exit(0);
    } else if (way == "_exit") {
        std::fputs("written\n", make("written"));
        _exit(0);
    } else if (way == "abort") {
        write_file("written");
        std::abort();
    } else if (way == "forked") {
        fork_and_exit();
    } else if (way == "last-thread") {
        end_by_last_thread();
    } else if (way == "two-exits" || way == "term-at-exit") {
        end_while_another_ends(way == "term-at-exit");
    } else if (way == "sigsuspend" || way == "ppoll") {
        let_term_in(way == "ppoll");
    } else if (way == "interrupted") {
        end_among_handlers();
    } else if (way == "handler") {
        take_signal_at_start();
    } else if (way == "writers") {
        write_until_the_end(counts);
    } else if (way == "waits") {
        wait_in_kernel();
    } else {
        need(false, "no such way");
    }
}

}  // namespace

int main(int count, char** words)
{
    need(count >= 3, "arguments");
    directory = words[1];
    run(words[2], count > 3 ? words[3] : nullptr);
}
