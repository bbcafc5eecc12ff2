// SPDX-License-Identifier: GPL-2.0-only
// A thread's task in the kernel.
#pragma once

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>

namespace lkl::capi {

// The calling thread's, which its first call makes. -LKL_EAGAIN, -LKL_ENOMEM: there is no room
// for it, so that no call of this thread reaches the kernel; else 0.
inline long make_task(Kernel& kernel)
{
    const long id = kernel.syscall(__lkl__NR_gettid);
    return id == -LKL_EAGAIN || id == -LKL_ENOMEM ? id : 0;
}

}  // namespace lkl::capi
