// SPDX-License-Identifier: GPL-2.0-only
// The library's beginning and end in a process.
#include <cstdlib>

#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "config/device_types.hpp"
#include "hijack/files/routes.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/dispatch.hpp"
#include "hijack/preload/ending.hpp"
#include "hijack/preload/fork_mark.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/last_thread.hpp"
#include "hijack/preload/message.hpp"
#include "hijack/preload/settings.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack {

namespace {

// Devices that `lkl run` has opened: the program cannot close them, and what it starts
// inherits them. Where somebody has, the number may be another file's.
void keep_devices(const Configuration& configuration)
{
    for (const Interface& one : configuration.interfaces) {
        const auto descriptor = lkl::config::parse_descriptor(one.descriptor);
        if (!descriptor)
            continue;
        ifreq interface {
        };
        int family = AF_UNSPEC;
        socklen_t size = sizeof family;
        if (host::call(SYS_ioctl, *descriptor, TUNGETIFF, &interface) == 0 ||
            (host::call(SYS_getsockopt, *descriptor, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
             family == AF_PACKET))
            descriptors::keep(*descriptor);
    }
}

// Programs that this one starts inherit the variable.
bool is_first_to_tell()
{
    constexpr const char* told = "LKL_RUN_TOLD";
    return !std::getenv(told) && ::setenv(told, "dispatch", 1) == 0;
}

__attribute__((constructor)) void begin()
{
    bool dispatched = false;
    {
        const Inside inside;
        settings::set_run_id();
        fork_mark::prepare();
        last_thread::begin();
        ::pthread_atfork(stack::forking, stack::fork_made, stack::forked);
        const Configuration* const configuration = settings::configuration();
        routes::prepare();
        if (configuration)
            keep_devices(*configuration);
        dispatched =
            configuration && (configuration->dispatch.empty() || is_on(configuration->dispatch));
    }
    if (dispatched && !dispatch::prepare() && is_first_to_tell()) {
        const Inside inside;
        message(
            "this host does not hand system calls over (Linux 5.11 does): those that do not go "
            "through libc go to the host (docs/run.md)");
    }
}

// Among the ends of other libraries, and before libc writes what stdio holds: all that goes to our
// kernel still. It stops at exit_group(2), the last that libc does; except where that does not
// come to us.
__attribute__((destructor)) void end()
{
    dispatch::enter_late();
    if (!this_thread.dispatched)
        ending::finish();
}

}  // namespace

}  // namespace hijack

// For this library alone: its objects stay as long as the process, as it is called after its end.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the C++ ABI's
extern "C" __attribute__((visibility("hidden"))) int __cxa_atexit(void (*)(void*), void*,
                                                                  void*) noexcept
{
    return 0;
}
