// SPDX-License-Identifier: GPL-2.0-only
// pthread_atfork(3) of a shared object of ours, in the place of the one that libc links into
// each. libc's has exit(3) take the handlers away with the object's other destructors, also in
// the middle of another thread's fork(2): glibc's list is then shorter than that thread believes
// (__run_prefork_handlers() of 2.36 and later), which ends the process by SIGABRT; or what one
// handler has locked the next never unlocks. These handlers stay; so the object has to,
// for which it is linked with -z nodelete.
#include <pthread.h>

// glibc's, since 2.3.2: what its own pthread_atfork() calls, with the object that it is in.
extern "C" int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(),
                                 void* object) noexcept;

extern "C" __attribute__((visibility("hidden"))) int pthread_atfork(void (*prepare)(),
                                                                    void (*parent)(),
                                                                    void (*child)()) noexcept
{
    return __register_atfork(prepare, parent, child, nullptr);
}
