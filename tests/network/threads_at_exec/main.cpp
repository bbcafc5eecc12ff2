// SPDX-License-Identifier: GPL-2.0-only
// Under `lkl run --mount`: threads that append to files of an image while another one starts
// /bin/true in the program's place. How many records of each file were said to be written is in
// a file of the host's, shared memory, which is there when the program is not. Exit code 1, and
// the name of what went wrong.
//
//     threads_at_exec DIRECTORY COUNTS WAY
//
// WAY: "plain", or what comes before or with it:
//     failed      exec that fails, after which all threads go on writing
//     handlers    the same under signals, whose handler writes as well
//     in-handler  exec by a handler
//     two         another thread, whose exec fails again and again
//     borrowed    a child on this memory with thread-local variables of its own starts a program
//     ending      no exec of its own: it ends while its threads start programs, all of which end
//     trapped     exec that a filter answers by SIGSYS, whose handler writes
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

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

constexpr size_t writers = 4, files = writers + 1;  // the last one is the handler's
constexpr size_t record_size = 64;

using Count = std::atomic<uint64_t>;
static_assert(Count::is_always_lock_free && sizeof(Count) == sizeof(uint64_t));
Count* counts = nullptr;
std::array<int, files> descriptors{};
std::atomic<bool> at_exec{false};  // the one that is to succeed

void need(bool fine, const char* what)
{
    if (fine)
        return;
    std::fprintf(stderr, "threads_at_exec: %s: %s\n", what, std::strerror(errno));
    _exit(1);
}

// A record is its number, again and again.
bool append(size_t file)
{
    std::array<uint64_t, record_size / sizeof(uint64_t)> record{};
    record.fill(counts[file]);
    if (write(descriptors[file], record.data(), record_size) != record_size)
        return false;
    counts[file]++;
    return true;
}

void write_on(size_t file)
{
    // Not faster than the image has room for.
    for (;; std::this_thread::sleep_for(200us))
        for (int i = 0; i < 16; i++)
            need(append(file), "write");
}

// All threads have written something from here on.
void wait_for_writers(const char* when)
{
    std::array<uint64_t, writers> before{};
    for (size_t i = 0; i < writers; i++)
        before[i] = counts[i];
    const auto end = std::chrono::steady_clock::now() + 20s;
    for (size_t i = 0; i < writers; i++) {
        while (counts[i] < before[i] + 20) {
            need(std::chrono::steady_clock::now() < end, when);
            std::this_thread::sleep_for(1ms);
        }
    }
}

void execute(const char* path)
{
    const char* const words[] = {path, nullptr};
    execve(path, const_cast<char**>(words), environ);
}

void fail_to_execute()
{
    execute("/no/such/program");
    need(errno == ENOENT, "exec of what is not there");
    execute("/etc/passwd");
    need(errno == EACCES, "exec of what is no program");
}

void append_in_handler(int)
{
    const int saved = errno;
    need(append(writers), "write in a handler");
    errno = saved;
}

void execute_in_handler(int)
{
    execute("/bin/true");
    need(false, "exec in a handler");
}

void fail()
{
    for (int i = 0; i < 10; i++) {
        fail_to_execute();
        wait_for_writers("threads after an exec that has failed");
    }
}

void fail_with_handlers()
{
    struct sigaction action {};
    action.sa_handler = append_in_handler;
    action.sa_flags = SA_RESTART;
    need(sigaction(SIGURG, &action, nullptr) == 0, "sigaction");
    // One that the next program ignores. Where they come faster than images can be frozen exec
    // does not wait for ever: few come with the one that succeeds.
    std::thread([thread = pthread_self()] {
        for (int left = 5; left > 0; std::this_thread::sleep_for(1ms)) {
            pthread_kill(thread, SIGURG);
            if (at_exec)
                left--;
        }
    }).detach();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (counts[writers] < 50) {
        need(std::chrono::steady_clock::now() < end, "handlers");
        fail_to_execute();
    }
    wait_for_writers("threads after handlers");
}

void execute_by_handler()
{
    struct sigaction action {};
    action.sa_handler = execute_in_handler;
    need(sigaction(SIGUSR1, &action, nullptr) == 0 && raise(SIGUSR1) == 0, "raise");
}

void fail_beside()
{
    std::thread([] {
        for (;;)
            fail_to_execute();
    }).detach();
    std::this_thread::sleep_for(10ms);
}

int become_program(void*)
{
    execute("/bin/true");
    _exit(1);
}

// Its thread-local variables, and what libc has of it, are a copy of its parent's, which waits.
// Of a thread these lie in one piece of memory.
void start_from_borrowed_memory()
{
    constexpr size_t below = 16 << 10, page = 4096;
    alignas(page) static char area[below + 2 * page];
    alignas(16) static char stack[256 << 10];
    auto* const own = static_cast<char*>(__builtin_thread_pointer());
    const uintptr_t in_page = reinterpret_cast<uintptr_t>(own) % page;
    char* const copied = area + below + in_page;
    std::memcpy(copied - below, own - below, below + page - in_page);
    // The pointers to itself.
    for (const size_t offset : {0, 16})
        std::memcpy(copied + offset, &copied, sizeof copied);
    const int child =
        clone(become_program, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_SETTLS | SIGCHLD,
              nullptr, nullptr, copied, nullptr);
    int status = 1;
    need(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child");
}

// Children are forked at any moment of the process's end. One that hangs is ended by a signal
// so late that whoever waits for the end of their output has seen it.
void end_among_children()
{
    constexpr unsigned too_late = 40;  // seconds
    for (size_t i = 0; i < writers; i++) {
        std::thread([] {
            for (;;) {
                const int child = fork();
                if (child == 0) {
                    alarm(too_late);
                    execute("/bin/true");
                    _exit(1);
                }
                waitpid(child, nullptr, 0);
            }
        }).detach();
    }
    std::this_thread::sleep_for(200ms);
    std::exit(0);
}

void append_for_trap(int, siginfo_t*, void* context)
{
    need(append(writers), "write in the handler of a filter");
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

void fail_by_filter()
{
    struct sigaction action {};
    action.sa_sigaction = append_for_trap;
    action.sa_flags = SA_SIGINFO;
    need(sigaction(SIGSYS, &action, nullptr) == 0, "sigaction");
    std::array filter{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{filter.size(), filter.data()};
    need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
             prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
         "filter");
    execute("/bin/true");
    need(errno == EPERM && counts[writers] == 1, "exec under the filter");
    wait_for_writers("threads after an exec that a filter has answered");
    std::exit(0);
}

void run(std::string_view way)
{
    if (way == "ending")
        end_among_children();
    else if (way == "trapped")
        fail_by_filter();
    else if (way == "failed")
        fail();
    else if (way == "handlers")
        fail_with_handlers();
    else if (way == "in-handler")
        execute_by_handler();
    else if (way == "two")
        fail_beside();
    else if (way == "borrowed")
        std::thread(start_from_borrowed_memory).join();
    else
        need(way == "plain", "no such way");
}

}  // namespace

int main(int count, char** words)
{
    need(count == 4, "arguments");
    const int shared = open(words[2], O_RDWR | O_CREAT | O_TRUNC, 0644);
    need(shared >= 0 && ftruncate(shared, files * sizeof(Count)) == 0, words[2]);
    void* const memory =
        mmap(nullptr, files * sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    need(memory != MAP_FAILED, words[2]);
    counts = static_cast<Count*>(memory);
    for (size_t i = 0; i < files; i++) {
        const std::string name = std::string(words[1]) + "/" + std::to_string(i);
        descriptors[i] = open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        need(descriptors[i] >= 0, name.c_str());
    }
    for (size_t i = 0; i < writers; i++)
        std::thread(write_on, i).detach();
    wait_for_writers("threads");
    run(words[3]);
    wait_for_writers("threads before exec");
    at_exec = true;
    execute("/bin/true");
    need(false, "exec");
}
