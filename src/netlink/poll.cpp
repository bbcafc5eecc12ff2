// SPDX-License-Identifier: GPL-2.0-only
#include "netlink/poll.hpp"

#include <algorithm>

#include <lkl/asm/errno.h>
#include <lkl/asm/poll.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/time_types.h>

#include "file/error.hpp"

namespace lkl::netlink {

Result<bool> wait_readable(Kernel& kernel, int descriptor, std::chrono::milliseconds timeout)
{
    using namespace std::chrono;
    const auto wanted = std::max(timeout, milliseconds{0});
    const auto whole = duration_cast<seconds>(wanted);
    __lkl__kernel_timespec time{};
    time.tv_sec = whole.count();
    time.tv_nsec = nanoseconds(wanted - whole).count();
    lkl_pollfd poll{};
    poll.fd = descriptor;
    poll.events = LKL_POLLIN;
    // The kernel counts the time down, so that a signal does not begin it anew.
    long ready = 0;
    do {
        ready = kernel.syscall(__lkl__NR_ppoll, &poll, 1, &time, nullptr, 0);
    } while (ready == -LKL_EINTR);
    if (ready < 0)
        return file::call_error(ready, "wait for", "socket");
    return ready > 0;
}

}  // namespace lkl::netlink
