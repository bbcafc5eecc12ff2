// SPDX-License-Identifier: GPL-2.0-only
// How functions of libc are replaced. Each has libc's name for the linker and one of its
// own here, so that libc's declarations, with their attributes, need not be met.
#pragma once

#include <cerrno>

#include "hijack/calls/rules.hpp"
#include "hijack/preload/dispatch.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/thread.hpp"

// A function of the type TYPE that is `name` to the program:
//     HIJACK_SYMBOL(ssize_t, read, (int fd, void* buffer, size_t size)) { ... }
#define HIJACK_SYMBOL(type, name, parameters)         \
    extern "C" __attribute__((visibility("default"))) \
    type hijack_##name parameters __asm__(#name);     \
    extern "C" type hijack_##name parameters

namespace hijack {

// The call as libc's function makes it: -1 and errno on failure. What the library itself
// asks of libc, or libc for it, is the host's.
template <typename... Args>
long libc_call(long number, Args... args)
{
    const long values[6] = {host::to_long(args)...};
    long result = 0;
    if (Inside::already()) {
        result = host::raw(number, values);
    } else {
        dispatch::enter_late();
        result = run_call(number, values);
    }
    if (result < 0 && result > -4096) {
        errno = static_cast<int>(-result);
        return -1;
    }
    return result;
}

}  // namespace hijack
