// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/thread.hpp>

#include <csignal>

namespace lkl::posix {

int start_thread(pthread_t& thread, const char* name, void* (*function)(void*),
                 void* argument) noexcept
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&thread, nullptr, function, argument);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error == 0)
        pthread_setname_np(thread, name);
    return error;
}

}  // namespace lkl::posix
