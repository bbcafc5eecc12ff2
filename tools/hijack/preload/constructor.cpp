// SPDX-License-Identifier: GPL-2.0-only
// The library's beginning and end in a process.
#include <pthread.h>

#include "hijack/files/routes.hpp"
#include "hijack/preload/dispatch.hpp"
#include "hijack/preload/settings.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack {

namespace {

__attribute__((constructor)) void begin()
{
    bool dispatched = false;
    {
        const Inside inside;
        settings::set_run_id();
        ::pthread_atfork(stack::forking, stack::fork_made, stack::forked);
        const Configuration* const configuration = settings::configuration();
        routes::prepare();
        dispatched =
            configuration && (configuration->dispatch.empty() || is_on(configuration->dispatch));
    }
    if (dispatched)
        dispatch::prepare();
}

// After the program's own ends, and those of libraries that were loaded later.
__attribute__((destructor)) void end()
{
    stack::finish();
}

}  // namespace

}  // namespace hijack
