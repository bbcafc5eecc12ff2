// SPDX-License-Identifier: GPL-2.0-only
// System calls that are done on both sides: they concern all files, whose they may be.
#include <lkl/asm/unistd.h>

#include "hijack/calls/host_status.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::calls {

// umask(2) itself would change it to tell.
void copy_file_mask()
{
    if (const auto mask = host_status("Umask", 8))
        stack::call(__lkl__NR_umask, *mask);
}

long umask(const long* args)
{
    const Inside inside;
    if (stack::is_up())
        stack::call(__lkl__NR_umask, args[0]);
    return host::raw(SYS_umask, args);
}

long sync(const long* args)
{
    const Inside inside;
    if (stack::is_up())
        stack::call(__lkl__NR_sync);
    return host::raw(SYS_sync, args);
}

}  // namespace hijack::calls
