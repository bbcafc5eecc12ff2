// SPDX-License-Identifier: GPL-2.0-only
// The same system calls for the host's kernel and for ours.
#pragma once

#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>

namespace lkl::test {

// A system call by its numbers on the host and in the library.
struct Number {
    long host, lkl;
};
#define NUMBER(name)                 \
    Number                           \
    {                                \
        SYS_##name, __lkl__NR_##name \
    }

// Either kernel. Structures and constants that the tests use are the same in both. Results
// are the kernel's: negative errno.
class Side {
public:
    Side() = default;
    explicit Side(Kernel& kernel) : kernel_(&kernel) {}

    template <typename... Args>
    long operator()(Number number, Args... args) const
    {
        if (kernel_)
            return kernel_->syscall(number.lkl, args...);
        const long result = ::syscall(number.host, args...);
        return result == -1 ? -errno : result;
    }

private:
    Kernel* kernel_ = nullptr;
};

}  // namespace lkl::test
