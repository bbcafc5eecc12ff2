// SPDX-License-Identifier: GPL-2.0-only
// System calls of the host, made by instructions of this library: those pass by syscall
// user dispatch, whatever the selector says, and need no errno and no symbol of libc's,
// many of which are ours here.
#pragma once

#include <type_traits>

#include <sys/syscall.h>

namespace hijack::host {

inline long raw(long number, const long* a)
{
    // The operands of the instruction below, which cppcheck takes for nothing.
    // cppcheck-suppress constStatement
    register long r10 asm("r10") = a[3];
    // cppcheck-suppress constStatement
    register long r8 asm("r8") = a[4];
    // cppcheck-suppress constStatement
    register long r9 asm("r9") = a[5];
    long result = 0;
    asm volatile("syscall"
                 : "=a"(result)
                 : "0"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

template <typename T>
long to_long(T value)
{
    if constexpr (std::is_null_pointer_v<T>)
        return 0;
    else if constexpr (std::is_pointer_v<T>)
        return reinterpret_cast<long>(value);
    else
        return static_cast<long>(value);
}

// An argument of a system call that is a pointer.
template <typename T>
T* to_pointer(long argument)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it comes in a register
    return reinterpret_cast<T*>(argument);
}

inline const char* to_text(long argument)
{
    return to_pointer<const char>(argument);
}

// Returns what the kernel returns: a value or a negative errno.
template <typename... Args>
long call(long number, Args... args)
{
    static_assert(sizeof...(Args) <= 6);
    const long values[6] = {to_long(args)...};
    return raw(number, values);
}

}  // namespace hijack::host
