// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/thread.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <new>

#include <sys/prctl.h>

namespace lkl::posix {

namespace {

struct Start {
    void* (*function)(void*);
    void* argument;
    char name[16];
};

// A thread names itself: another's name is a file of /proc for the C library, which a
// process that is shut in does not open.
void* begin(void* data) noexcept
{
    const Start start = *static_cast<Start*>(data);
    delete static_cast<Start*>(data);
    ::prctl(PR_SET_NAME, start.name, 0, 0, 0);
    return start.function(start.argument);
}

}  // namespace

int start_thread(pthread_t& thread, const char* name, void* (*function)(void*),
                 void* argument) noexcept
{
    auto* const start = new (std::nothrow) Start{function, argument, {}};
    if (start == nullptr)
        return ENOMEM;
    std::snprintf(start->name, sizeof start->name, "%s", name);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&thread, nullptr, begin, start);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0)
        delete start;
    return error;
}

}  // namespace lkl::posix
