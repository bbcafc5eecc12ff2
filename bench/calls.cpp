// SPDX-License-Identifier: GPL-2.0-only
// The null system call: nanoseconds of one call, by the thread that made the last
// one, with nothing else runnable. The peer is the host's getppid by syscall(2);
// both kernels do the same for it.
#include <unistd.h>

#include <lkl.h>
#include <lkl/asm/unistd.h>
#include <sys/syscall.h>

#include "figures.hpp"
#include "guest.hpp"
#include "harness.hpp"

namespace bench {

namespace {

constexpr int calls = 300'000;

template <typename Call>
double nanoseconds_of(Call&& call)
{
    return seconds([&call] {
               for (int i = 0; i < calls; ++i)
                   call();
           }) *
           1e9 / calls;
}

double host()
{
    return nanoseconds_of([] { ::syscall(SYS_getppid); });
}

// The C interface's own kernel, for as long as this lives.
struct DefaultKernel {
    DefaultKernel()
    {
        if (lkl_init(&lkl_host_ops) != 0 || lkl_start_kernel("mem=64M") != 0)
            throw std::runtime_error(lkl_error_message());
    }
    ~DefaultKernel()
    {
        lkl_sys_halt();
        lkl_cleanup();
    }
};

}  // namespace

void measure_calls(Run& run)
{
    const std::string peer = "syscall(SYS_getppid) of the host";
    {
        const DefaultKernel kernel;
        run.add(
            {.name = "null call, lkl_sys_getppid()",
             .unit = "ns",
             .peer_name = peer,
             .target = ratio_at_most(0.20)},
            [] { return nanoseconds_of([] { lkl_sys_getppid(); }); }, host);
    }
    Guest guest;
    lkl::Kernel& kernel = guest.kernel();
    run.add(
        {.name = "null call, Kernel::syscall(getppid)", .unit = "ns", .peer_name = peer},
        [&kernel] { return nanoseconds_of([&kernel] { kernel.syscall(__lkl__NR_getppid); }); },
        host);
    guest.halt();
}

}  // namespace bench
