// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/last_thread.hpp"

#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <pthread.h>

#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"
#include "hijack/preload/thread.hpp"

namespace hijack::last_thread {

namespace {

std::atomic<int> threads{1};

// Nobody has made others: by clone(2), or libc for itself. These go on, and the process too.
bool is_alone()
{
    const Inside inside;
    int others = 0;
    std::error_code error;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
        // "NUMBER (NAME) STATE ...": of the library, of the host for io_uring, or main()'s, which
        // has ended. Empty: it has just gone.
        std::string line;
        std::getline(std::ifstream(thread.path() / "stat"), line);
        const bool is_known = line.empty() || line.find("(lkl") != line.npos ||
                              line.find("(iou-") != line.npos || line.find(") Z ") != line.npos;
        if (!is_known)
            others++;
    }
    return !error && others <= 1;
}

pthread_key_t key();

// In each of libc's rounds, so that in the last one those of the program's other keys have run.
void end(void* value)
{
    const auto round = reinterpret_cast<uintptr_t>(value);
    if (round < PTHREAD_DESTRUCTOR_ITERATIONS) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): it is a number
        ::pthread_setspecific(key(), reinterpret_cast<void*>(round + 1));
        return;
    }
    if (--threads != 0 || !stack::is_up())
        return;
    // A thread of the library that has just begun has no name yet.
    for (int tries = 0; tries < 10; tries++) {
        if (is_alone())
            std::exit(0);
        const timespec pause{0, 10'000'000};
        host::call(SYS_nanosleep, &pause, nullptr);
    }
}

pthread_key_t key()
{
    static const pthread_key_t made = [] {
        pthread_key_t one{};
        ::pthread_key_create(&one, end);
        return one;
    }();
    return made;
}

}  // namespace

void announce()
{
    threads++;
}

void take_back()
{
    threads--;
}

void begin()
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it is a number
    ::pthread_setspecific(key(), reinterpret_cast<void*>(uintptr_t{1}));
}

void forked()
{
    threads.store(1);
}

}  // namespace hijack::last_thread
